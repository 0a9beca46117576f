#include "io/journal/state_log.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "io/journal/format.hpp"
#include "io/os/file_layer.hpp"
#include "io/os/helper_process.hpp"

namespace baton::journal {
namespace {

constexpr std::string_view snapshot_prefix = "snapshot.";
constexpr std::string_view journal_prefix = "journal.";

std::string describe(const Error& error) {
    return error.os_errno != 0 ? os::describe_os_error(error.os_errno)
                               : std::string(baton::describe(error.code).text);
}

/// N of `snapshot.N`; nothing for other names, `snapshot.N.tmp` among them.
std::optional<std::uint64_t> generation_of(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::uint64_t generation = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), generation);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return generation;
}

bool is_ours(std::string_view name) {
    return name.starts_with(snapshot_prefix) || generation_of(name, journal_prefix);
}

}  // namespace

StateLog::StateLog(os::FileLayer& files, std::string folder, std::uint64_t salt)
    : files_(&files), folder_(std::move(folder)), salt_(salt) {}

std::expected<StateLog, std::string> StateLog::open(os::FileLayer& files, std::string folder,
                                                    std::uint64_t salt) {
    StateLog log(files, std::move(folder), salt);
    if (const auto made = files.make_folder(log.folder_); !made) {
        return std::unexpected(
            fmt::format("the state folder {} cannot be made: {}; make it yourself for the user "
                        "that runs batond, or name another folder with --state",
                        log.folder_, describe(made.error())));
    }
    auto lock = files.lock(log.folder_ + "/lock");
    if (!lock && lock.error().code == Errc::in_use) {
        return std::unexpected(fmt::format(
            "the state folder {} is in use by another batond; give each daemon a folder of its own",
            log.folder_));
    }
    if (!lock) {
        return std::unexpected(fmt::format("the state folder {} cannot be locked: {}", log.folder_,
                                           describe(lock.error())));
    }
    log.lock_ = *std::move(lock);
    if (auto loaded = log.load(); !loaded) return std::unexpected(std::move(loaded).error());
    // A failure is not the end: the daemon can serve with the state it has, and says so.
    static_cast<void>(log.begin_generation(log.changes_));
    return log;
}

std::expected<void, std::string> StateLog::load() {
    const auto names = files_->list(folder_);
    if (!names) {
        return std::unexpected(fmt::format("the state folder {} cannot be read: {}", folder_,
                                           describe(names.error())));
    }
    std::optional<std::uint64_t> snapshot;
    std::optional<std::uint64_t> journal;
    for (const std::string& name : *names) {
        snapshot = std::max(snapshot, generation_of(name, snapshot_prefix));
        journal = std::max(journal, generation_of(name, journal_prefix));
    }
    // A journal is created only after its snapshot is safe; generation 0 alone has none.
    if (journal.value_or(0) > snapshot.value_or(0)) {
        return std::unexpected(
            fmt::format("{} is missing although {} is there: put it back, or move {} away to go on "
                        "without what it holds",
                        path(FileKind::snapshot, *journal), path(FileKind::journal, *journal),
                        path(FileKind::journal, *journal)));
    }
    generation_ = snapshot.value_or(0);
    if (snapshot) {
        auto loaded = load_file(FileKind::snapshot, generation_);
        if (!loaded) return std::unexpected(std::move(loaded).error());
        changes_ = *std::move(loaded);
    }
    if (journal == generation_) {
        auto loaded = load_file(FileKind::journal, generation_);
        if (!loaded) return std::unexpected(std::move(loaded).error());
        std::ranges::move(*loaded, std::back_inserter(changes_));
    }
    return {};
}

std::expected<std::vector<Change>, std::string> StateLog::load_file(FileKind kind,
                                                                    std::uint64_t generation) {
    const std::string name = path(kind, generation);
    const auto bytes = files_->read(name, file_limit);
    if (!bytes) {
        return std::unexpected(fmt::format("{} cannot be read: {}", name, describe(bytes.error())));
    }
    auto contents = read_file_contents(*bytes, kind, generation);
    const bool cut_short = contents && kind == FileKind::snapshot &&
                           (contents->torn_bytes > 0 || !contents->ends_with_empty_record);
    if (!contents || cut_short) {
        const Damage damage =
            contents ? Damage{.offset = contents->sound_bytes, .what = "it is cut short"}
                     : contents.error();
        return std::unexpected(fmt::format(
            "{} is damaged at byte {}: {}. Restore the folder from a backup, or move it away "
            "and let the configuration file say what runs ('batond --check' verifies it)",
            name, damage.offset, damage.what));
    }
    if (contents->torn_bytes > 0) {
        notes_.push_back(fmt::format(
            "{}: the last {} bytes are a write that was cut short; it was never acknowledged and "
            "is left out",
            name, contents->torn_bytes));
    }
    return std::move(contents->changes);
}

Result<> StateLog::append(std::span<const Change> changes) {
    if (failed_by_) return std::unexpected(*failed_by_);
    std::vector<std::byte> payload;
    for (const Change& change : changes) append_change(payload, change);
    if (payload.size() > payload_limit) return fail(Errc::invalid_argument);
    std::vector<std::byte> record;
    append_record(record, header(FileKind::journal, generation_), next_sequence_, payload);
    if (const auto written = journal_->append(record); !written) {
        return failed("writing to " + path(FileKind::journal, generation_), written.error());
    }
    if (const auto synced = journal_->sync(); !synced) {
        return failed("syncing " + path(FileKind::journal, generation_), synced.error());
    }
    ++next_sequence_;
    journal_bytes_ += record.size();
    return {};
}

Result<> StateLog::compact(std::span<const Change> state) {
    if (failed_by_) return std::unexpected(*failed_by_);
    return begin_generation(state);
}

Result<> StateLog::begin_generation(std::span<const Change> state) {
    const std::uint64_t next = generation_ + 1;
    const std::string snapshot = path(FileKind::snapshot, next);
    const std::string temporary = snapshot + ".tmp";
    if (auto written = write_snapshot(temporary, header(FileKind::snapshot, next), state);
        !written) {
        return failed("writing " + temporary, written.error());
    }
    if (const auto renamed = files_->rename(temporary, snapshot); !renamed) {
        return failed("renaming " + temporary, renamed.error());
    }
    // From here on the old journal would be ignored by a reader: nothing may go there any more.
    journal_.reset();
    if (const auto synced = files_->sync_folder(folder_); !synced) {
        return failed("syncing " + folder_, synced.error());
    }
    const std::string journal = path(FileKind::journal, next);
    auto file = files_->create(journal);
    if (!file) return failed("creating " + journal, file.error());
    std::vector<std::byte> bytes;
    append_header(bytes, header(FileKind::journal, next));
    Result<> done = (*file)->append(bytes);
    if (done) done = (*file)->sync();
    if (done) done = files_->sync_folder(folder_);
    if (!done) return failed("writing " + journal, done.error());
    journal_ = *std::move(file);
    generation_ = next;
    next_sequence_ = 1;
    journal_bytes_ = bytes.size();
    remove_all_but(next);
    return {};
}

Result<> StateLog::write_snapshot(const std::string& path, const FileHeader& header,
                                  std::span<const Change> state) {
    auto file = files_->create(path);
    if (!file) return std::unexpected(file.error());
    std::vector<std::byte> bytes;
    append_header(bytes, header);
    std::uint64_t sequence = 1;
    std::vector<std::byte> payload;
    const auto flush = [&] {
        append_record(bytes, header, sequence++, payload);
        payload.clear();
    };
    constexpr std::size_t record_size = 64UL * 1024UL;
    for (const Change& change : state) {
        append_change(payload, change);
        if (payload.size() >= record_size) flush();
    }
    if (!payload.empty()) flush();
    flush();  // the empty one that says "this is all"
    if (auto written = (*file)->append(bytes); !written) return written;
    return (*file)->sync();
}

void StateLog::remove_all_but(std::uint64_t generation) {
    const auto names = files_->list(folder_);
    if (!names) return;
    const std::string kept_snapshot = fmt::format("{}{}", snapshot_prefix, generation);
    const std::string kept_journal = fmt::format("{}{}", journal_prefix, generation);
    for (const std::string& name : *names) {
        if (!is_ours(name) || name == kept_snapshot || name == kept_journal) continue;
        // What stays is only bytes: a reader takes the latest generation.
        static_cast<void>(files_->remove(folder_ + '/' + name));
    }
}

std::string StateLog::path(FileKind kind, std::uint64_t generation) const {
    return fmt::format("{}/{}{}", folder_,
                       kind == FileKind::journal ? journal_prefix : snapshot_prefix, generation);
}

FileHeader StateLog::header(FileKind kind, std::uint64_t generation) const {
    // Any mixture that differs between the files of one run; the multiplier is odd, hence
    // injective.
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15ULL;
    return {.kind = kind,
            .generation = generation,
            .salt = salt_ ^ ((generation * 2 + (kind == FileKind::journal ? 1 : 0)) * odd)};
}

std::unexpected<Error> StateLog::failed(const std::string& what, Error error) {
    failure_ = fmt::format(
        "{} failed: {}; changes are not durable any more and will not be acknowledged: make the "
        "folder writable and restart batond",
        what, describe(error));
    failed_by_ = error;
    journal_.reset();
    return std::unexpected(error);
}

}  // namespace baton::journal
