#include "io/journal/journal.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "io/journal/format.hpp"
#include "io/journal/state_log.hpp"
#include "io/os/file_layer.hpp"

namespace baton::journal {
namespace {

StateLog open_or_throw(os::FileLayer& files, const Journal::Options& options) {
    auto log = StateLog::open(files, options.folder, options.salt);
    if (!log) throw std::runtime_error(std::move(log).error());
    return *std::move(log);
}

}  // namespace

Journal::Journal(os::FileLayer& files, Options options, Post post)
    : options_(std::move(options)), post_(std::move(post)), log_(open_or_throw(files, options_)) {
    notes_ = log_.notes();
    failure_ = log_.failure();
    for (Change& change : log_.take_changes()) {
        loaded_bytes_ += encoded_size(change);
        std::ranges::move(change, std::back_inserter(lines_));
    }
    note_size();
    writer_ = std::thread([this] { run(); });
}

Journal::~Journal() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    arrived_.notify_one();
    writer_.join();
}

std::vector<std::string> Journal::take_lines() { return std::exchange(lines_, {}); }

void Journal::append(Change lines, WhenDurable when_durable) {
    push({.lines = std::move(lines), .when_durable = std::move(when_durable)});
}

void Journal::compact(Change lines, WhenDurable when_durable) {
    ++compacting_;
    push({.lines = std::move(lines),
          .when_durable = std::move(when_durable),
          .is_compaction = true});
}

std::string Journal::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void Journal::push(Entry entry) {
    const std::size_t size = encoded_size(entry.lines);
    bool taken = false;
    {
        const std::lock_guard lock(mutex_);
        taken = size <= payload_limit && queued_bytes_ + size <= options_.queue_bytes;
        if (taken) {
            queued_bytes_ += size;
            queue_.push_back(std::move(entry));
        }
    }
    if (!taken) {                                // and `entry` not moved from
        if (entry.is_compaction) --compacting_;  // NOLINT(bugprone-use-after-move): only if taken
        return acknowledge(std::move(entry), fail(Errc::limit_reached));
    }
    arrived_.notify_one();
}

void Journal::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        arrived_.wait(lock, [this] { return ending_ || !queue_.empty(); });
        if (queue_.empty()) return;
        std::deque<Entry> entries = std::exchange(queue_, {});
        std::size_t size = 0;
        for (const Entry& entry : entries) size += encoded_size(entry.lines);
        lock.unlock();
        write(std::move(entries));
        lock.lock();
        queued_bytes_ -= size;
    }
}

void Journal::write(std::deque<Entry> entries) {
    std::vector<Entry> together;
    std::size_t size = 0;
    const auto flush = [&] {
        if (!together.empty()) write_changes(std::exchange(together, {}));
        size = 0;
    };
    for (Entry& entry : entries) {
        const std::size_t entry_size = encoded_size(entry.lines);
        if (entry.is_compaction || size + entry_size > payload_limit) flush();
        if (entry.is_compaction) {
            write_compaction(std::move(entry));
        } else {
            size += entry_size;
            together.push_back(std::move(entry));
        }
    }
    flush();
}

void Journal::write_changes(std::vector<Entry> entries) {
    std::vector<Change> changes;
    changes.reserve(entries.size());
    for (Entry& entry : entries) changes.push_back(std::move(entry.lines));
    const Result<> result = log_.append(changes);
    note_size();
    for (Entry& entry : entries) acknowledge(std::move(entry), result);
}

void Journal::write_compaction(Entry entry) {
    compacted_bytes_ = encoded_size(entry.lines);
    loaded_bytes_ = 0;
    // One change per line: a snapshot is whole or not there, whatever its records are.
    std::vector<Change> state;
    state.reserve(entry.lines.size());
    for (std::string& line : entry.lines) state.push_back({std::move(line)});
    const Result<> result = log_.compact(state);
    note_size();
    --compacting_;
    acknowledge(std::move(entry), result);
}

void Journal::note_size() {
    // Twice the state: or a large state would be written anew after each few changes.
    const std::size_t limit = std::max(options_.compact_bytes, 2 * compacted_bytes_);
    large_.store(log_.journal_bytes() + loaded_bytes_ > limit, std::memory_order_relaxed);
    if (log_.failure().empty()) return;
    const std::lock_guard lock(mutex_);
    failure_ = log_.failure();
}

void Journal::acknowledge(Entry entry, Result<> result) {
    if (!entry.when_durable) return;
    post_(
        [when_durable = std::move(entry.when_durable), result]() mutable { when_durable(result); });
}

}  // namespace baton::journal
