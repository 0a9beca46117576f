#include "io/os/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "io/os/fd.hpp"

namespace baton::os {
namespace {

/// What /proc says under this path, at most `limit` bytes.
std::optional<std::string> read_proc(const std::string& path, std::size_t limit) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() < limit) {
        const auto size = ::read(fd.get(), part.data(), std::min(part.size(), limit - text.size()));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return std::nullopt;
        if (size == 0) break;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
}

/// Numbers one to `out.size()` behind the state letter of /proc/PID/stat.
template <std::size_t count>
bool read_numbers(std::string_view text, std::array<std::int64_t, count>& out) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::int64_t& number : out) {
        while (at != end && *at == ' ') ++at;
        const auto [next, error] = std::from_chars(at, end, number);
        if (error != std::errc{}) return false;
        at = next;
    }
    return true;
}

}  // namespace

std::optional<ProcessEntry> process_entry(int process_id) {
    const auto text = read_proc("/proc/" + std::to_string(process_id) + "/stat", 4096);
    if (!text) return std::nullopt;
    // The second field is the program's name in parentheses and may itself hold blanks and ')'.
    const std::size_t name_end = text->rfind(')');
    if (name_end == std::string::npos || name_end + 4 > text->size()) return std::nullopt;
    const char state = (*text)[name_end + 2];
    // From field 4 (parent) to field 22 (start time).
    std::array<std::int64_t, 19> numbers{};
    if (!read_numbers(std::string_view(*text).substr(name_end + 3), numbers)) return std::nullopt;
    const auto field = [&](std::size_t number) { return numbers.at(number - 4); };
    return ProcessEntry{.process_id = process_id,
                        .parent = static_cast<int>(field(4)),
                        .group = static_cast<int>(field(5)),
                        .session = static_cast<int>(field(6)),
                        .dead = state == 'X' || (state == 'Z' && field(20) <= 1),
                        .started = static_cast<std::uint64_t>(field(22))};
}

std::vector<ProcessEntry> process_table() {
    std::vector<ProcessEntry> table;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
    if (!directory) return table;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name(&entry->d_name[0]);
        int process_id = 0;
        const auto [end, error] =
            std::from_chars(name.data(), name.data() + name.size(), process_id);
        if (error != std::errc{} || end != name.data() + name.size()) continue;
        if (auto found = process_entry(process_id)) table.push_back(*found);
    }
    return table;
}

std::vector<ProcessEntry> descendants_of(int ancestor, const std::vector<ProcessEntry>& table) {
    std::vector<ProcessEntry> by_parent = table;
    std::ranges::sort(by_parent, {}, &ProcessEntry::parent);
    std::vector<ProcessEntry> found;
    std::vector<int> parents{ancestor};
    // Each process has one parent, so each is found once; `parents` grows by what is found.
    for (std::size_t next = 0; next < parents.size(); ++next) {
        for (const ProcessEntry& entry :
             std::ranges::equal_range(by_parent, parents[next], {}, &ProcessEntry::parent)) {
            if (entry.process_id == ancestor) continue;
            found.push_back(entry);
            parents.push_back(entry.process_id);
        }
    }
    return found;
}

std::optional<std::string> process_environment(int process_id, std::string_view name) {
    constexpr std::size_t size_limit = 256UL * 1024UL;
    const auto text = read_proc("/proc/" + std::to_string(process_id) + "/environ", size_limit);
    if (!text) return std::nullopt;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view entry = rest.substr(0, rest.find('\0'));
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
            return std::string(entry.substr(name.size() + 1));
        }
        rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    }
    return std::nullopt;
}

}  // namespace baton::os
