#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.hpp"
#include "io/journal/format.hpp"
#include "io/journal/state_log.hpp"
#include "io/os/file_layer.hpp"

namespace baton::journal {

/// The daemon's memory across crashes: changes go to the disk on a thread of the journal's own, and
/// are acknowledged once they are there. All that wait while one write is under way are synced
/// together by the next one.
///
/// append() and compact() belong to one thread (the daemon's control loop) and never block;
/// callbacks come back to it through `post`.
class Journal {
public:
    /// Hands a task to the thread that the callbacks belong to (EventLoop::post). Any thread calls
    /// it.
    using Post = std::function<void(std::move_only_function<void()>)>;
    using WhenDurable = std::move_only_function<void(Result<>)>;

    struct Options {
        std::string folder;
        std::uint64_t salt = 0;  ///< differs from run to run
        /// large() from here on: the daemon should compact(). More when the state itself is large.
        std::size_t compact_bytes = 4UL * 1024UL * 1024UL;
        /// Bytes that wait for the disk; what goes beyond is refused: limit_reached.
        std::size_t queue_bytes = 64UL * 1024UL * 1024UL;
    };

    /// Loads the folder and starts the thread.
    /// @param files  must outlive the journal
    /// @throws std::runtime_error with the reason and what to do
    Journal(os::FileLayer& files, Options options, Post post);
    /// Waits until everything that was given to it is on the disk. Callbacks of that are posted.
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// The command lines that make up the state that was found, in order. Empties it.
    [[nodiscard]] std::vector<std::string> take_lines();
    /// What the log should say of the opening.
    [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

    /// Lines that belong together: after a crash all of them are there, or none.
    /// @param when_durable  called once; its error: they are not durable, see failure()
    void append(Change lines, WhenDurable when_durable);

    /// Replaces everything appended so far by a state that says the same in fewer lines (`save`).
    /// Call it with the state as it is after all that was appended.
    void compact(Change lines, WhenDurable when_durable);

    /// Time to compact(): at the start, after the lines were carried out, and after each
    /// acknowledgement is when to ask. False while a compaction is under way.
    [[nodiscard]] bool large() const noexcept {
        return compacting_ == 0 && large_.load(std::memory_order_relaxed);
    }

    /// Why nothing is acknowledged any more, and what to do; empty: all is well. Any thread.
    [[nodiscard]] std::string failure() const;

private:
    struct Entry {
        Change lines;
        WhenDurable when_durable;
        bool is_compaction = false;
    };

    void run();
    void write(std::deque<Entry> entries);
    void write_changes(std::vector<Entry> entries);
    void write_compaction(Entry entry);
    void acknowledge(Entry entry, Result<> result);
    void note_size();
    void push(Entry entry);

    Options options_;
    Post post_;
    std::vector<std::string> notes_;
    std::vector<std::string> lines_;

    // The writer's own, after the constructor.
    StateLog log_;
    std::size_t compacted_bytes_ = 0;  ///< of the last state that compact() was given
    std::size_t loaded_bytes_ = 0;     ///< of the lines found at the start, until compacted

    // Hints: nothing is read on the strength of them, so their order does not matter.
    std::atomic<bool> large_{false};
    std::atomic<int> compacting_{0};

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable arrived_;
    std::deque<Entry> queue_;
    std::size_t queued_bytes_ = 0;  ///< of queue_ and of what is being written
    bool ending_ = false;
    std::string failure_;

    std::thread writer_;  // last: runs while everything above lives
};

}  // namespace baton::journal
