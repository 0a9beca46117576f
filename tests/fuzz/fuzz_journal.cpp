// Loading of a state folder. The first byte says which file the rest is; the checksums are put
// right on every second input, so that the fuzzer gets behind them. Nothing may crash, and what is
// loaded without complaint must be loaded the same the next time.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "io/journal/format.hpp"
#include "io/journal/simulated_disk.hpp"
#include "io/journal/state_log.hpp"

namespace {

using namespace baton::journal;

/// A file whose headers are right, with the input's bytes as the payload of its only record.
std::vector<std::byte> wrapped(FileKind kind, std::span<const std::byte> payload) {
    const FileHeader header{.kind = kind, .generation = 3, .salt = 1};
    std::vector<std::byte> bytes;
    append_header(bytes, header);
    append_record(bytes, header, 1, payload);
    if (kind == FileKind::snapshot) append_record(bytes, header, 2, {});
    return bytes;
}

/// A file with a right header before the input's bytes, which are records then, or nearly.
std::vector<std::byte> headed(FileKind kind, std::span<const std::byte> records) {
    std::vector<std::byte> bytes;
    append_header(bytes, {.kind = kind, .generation = 3, .salt = 1});
    bytes.insert(bytes.end(), records.begin(), records.end());
    return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto choice = data[0];
    const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
    const auto kind = (choice & 1U) != 0 ? FileKind::journal : FileKind::snapshot;

    SimulatedDisk disk;
    if (kind == FileKind::journal) disk.put("snapshot.3", wrapped(FileKind::snapshot, {}));
    const std::string name = kind == FileKind::journal ? "journal.3" : "snapshot.3";
    if ((choice & 6U) == 0) {
        disk.put(name, std::vector<std::byte>(rest.begin(), rest.end()));
    } else if ((choice & 2U) != 0) {
        disk.put(name, wrapped(kind, rest));
    } else {
        disk.put(name, headed(kind, rest));
    }

    auto log = StateLog::open(disk, "/state", 2);
    if (!log) return 0;
    const auto changes = log->take_changes();
    auto again = StateLog::open(disk, "/state", 3);
    if (!again || again->take_changes() != changes) std::abort();
    return 0;
}
