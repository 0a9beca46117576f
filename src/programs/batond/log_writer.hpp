#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::daemon {

/// Writes whole lines to a file from a thread of its own, so that a slow or full disk holds up no
/// loop. At most `pending_limit` bytes wait; lines beyond that are dropped and counted.
class LogWriter {
public:
    static constexpr std::size_t pending_limit = 8 * 1024 * 1024;

    LogWriter();
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    /// Opens (creates, appends) another file; empty: log nowhere, `-`: standard output.
    [[nodiscard]] Result<> open(const std::string& path);
    /// Opens the same path anew, after it was renamed by a log rotation.
    [[nodiscard]] Result<> reopen();
    [[nodiscard]] bool enabled() const noexcept { return enabled_.load(std::memory_order_relaxed); }

    /// Any thread. Takes lines with their line breaks.
    void write(std::string_view lines, std::uint64_t line_count);

    [[nodiscard]] std::uint64_t dropped() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    void run();
    void write_out(os::BorrowedFd file, std::string lines, std::uint64_t line_count);

    std::mutex mutex_;  // guards what follows up to stopping_
    std::condition_variable filled_;
    std::string path_;
    os::UniqueFd fd_;
    std::string pending_;
    std::uint64_t pending_lines_ = 0;
    bool stopping_ = false;
    bool failing_ = false;  // the writing thread's own
    std::atomic<bool> enabled_{false};
    std::atomic<std::uint64_t> dropped_{0};
    std::thread thread_;
};

}  // namespace baton::daemon
