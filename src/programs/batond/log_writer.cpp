#include "programs/batond/log_writer.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "io/os/append_file.hpp"
#include "io/os/fd.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/socket.hpp"

namespace baton::daemon {

LogWriter::LogWriter() : thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    filled_.notify_one();
    thread_.join();
}

Result<> LogWriter::open(const std::string& path) {
    os::UniqueFd fd;
    if (!path.empty()) {
        auto opened = os::open_for_append(path);
        if (!opened) return std::unexpected(opened.error());
        fd = std::move(*opened);
    }
    const std::lock_guard lock(mutex_);
    path_ = path;
    fd_ = std::move(fd);
    enabled_.store(static_cast<bool>(fd_), std::memory_order_relaxed);
    return {};
}

Result<> LogWriter::reopen() {
    std::string path;
    {
        const std::lock_guard lock(mutex_);
        path = path_;
    }
    return open(path);
}

void LogWriter::write(std::string_view lines, std::uint64_t line_count) {
    {
        const std::lock_guard lock(mutex_);
        if (pending_.size() + lines.size() > pending_limit) {
            dropped_.fetch_add(line_count, std::memory_order_relaxed);
            return;
        }
        pending_ += lines;
        pending_lines_ += line_count;
    }
    filled_.notify_one();
}

void LogWriter::run() {
    std::string writing;
    std::unique_lock lock(mutex_);
    while (!stopping_ || !pending_.empty()) {
        filled_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
        writing.swap(pending_);
        const auto line_count = std::exchange(pending_lines_, 0);
        // A duplicate: open() may change the file while this thread writes.
        const auto file = fd_ ? os::duplicate(fd_.borrow()) : Result<os::UniqueFd>(os::UniqueFd());
        lock.unlock();
        if (file && *file) write_out(file->borrow(), std::exchange(writing, {}), line_count);
        writing.clear();
        lock.lock();
    }
}

/// The daemon's log hears of trouble once, and of its end.
void LogWriter::write_out(os::BorrowedFd file, std::string lines, std::uint64_t line_count) {
    // What failed may have left half a line.
    if (failing_) lines.insert(lines.begin(), '\n');
    const auto written = os::write_fully(file, lines);
    if (!written) dropped_.fetch_add(line_count, std::memory_order_relaxed);
    if (failing_ == !written) return;
    failing_ = !written;
    if (failing_) {
        spdlog::error(
            "the access log cannot be written: {}; its lines are dropped until it can "
            "(counted: baton_log_lines_dropped_total). Is the disk full?",
            os::describe_os_error(written.error().os_errno));
    } else {
        spdlog::info("the access log is written again");
    }
}

}  // namespace baton::daemon
