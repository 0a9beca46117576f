#pragma once

#include <mutex>

#include <absl/base/thread_annotations.h>

namespace baton::os {

/// std::mutex with the annotations that clang's thread-safety analysis needs. (absl::Mutex has
/// them, too, but Debian's build of it is not instrumented: thread sanitizer would see races
/// everywhere.)
class ABSL_LOCKABLE Mutex {
public:
    void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
    void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
    /// For the analysis: the caller of this function's caller holds it.
    void assert_held() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

private:
    std::mutex mutex_;
};

/// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
public:
    explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

}  // namespace baton::os
