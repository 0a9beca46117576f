// Chunked bodies: however they are cut, the payload, the end and the refusal are the same, and
// skimming agrees with reading.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "core/http/chunked.hpp"

namespace {

using baton::http::ChunkedDecoder;

struct Outcome {
    std::string payload;
    std::size_t consumed = 0;
    bool complete = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Nothing when refused. Offers at most `step` bytes at a time.
std::optional<Outcome> read(std::string_view bytes, std::size_t step) {
    ChunkedDecoder decoder;
    Outcome outcome;
    while (outcome.consumed < bytes.size() && !outcome.complete) {
        const std::string_view offered = bytes.substr(outcome.consumed, step);
        const auto piece = decoder.next(offered);
        if (!piece) return std::nullopt;
        // Each call gets on, and payload is the end of what was consumed.
        BATON_ASSERT(piece->consumed > 0 && piece->consumed <= offered.size());
        BATON_ASSERT(piece->payload.empty() || piece->payload.data() + piece->payload.size() ==
                                                   offered.data() + piece->consumed);
        outcome.payload += piece->payload;
        outcome.consumed += piece->consumed;
        outcome.complete = piece->complete;
    }
    return outcome;
}

void check_skimming(std::string_view bytes, const std::optional<Outcome>& expected) {
    ChunkedDecoder decoder;
    const auto span = decoder.skim(bytes);
    BATON_ASSERT(span.has_value() == expected.has_value());
    if (!span) return;
    BATON_ASSERT(span->consumed == expected->consumed);
    BATON_ASSERT(span->payload == expected->payload.size());
    BATON_ASSERT(span->complete == expected->complete);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    const auto expected = read(bytes, std::max<std::size_t>(bytes.size(), 1));
    BATON_ASSERT(read(bytes, 1) == expected);
    BATON_ASSERT(read(bytes, 7) == expected);
    check_skimming(bytes, expected);
    return 0;
}
