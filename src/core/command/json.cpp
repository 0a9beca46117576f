#include "core/command/json.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace baton::command {
namespace {

bool is_continuation(char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) == 0x80; }

/// Bytes of the well-formed sequence at the front (RFC 3629, 4); 0: it is none.
std::size_t sequence_size(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0U;
    std::size_t size = 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) size = 2;
    if (first >= 0xE0 && first <= 0xEF) size = 3;
    if (first >= 0xF0 && first <= 0xF4) size = 4;
    if (size == 0 || text.size() < size) return 0;
    // Longer forms than needed, surrogates, beyond U+10FFFF.
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
        return 0;
    }
    for (std::size_t index = 1; index < size; ++index) {
        if (!is_continuation(text[index])) return 0;
    }
    return size;
}

/// Numbers as people write them, 60000 and 37.25; Boost's own writer says 6E4 and 3.725E1. What is
/// nested was nested by the renderers, a few levels deep.
void append_json(std::string& out, const boost::json::value& value) {
    if (const auto* object = value.if_object()) {
        std::string_view before = "{";
        if (object->empty()) out += before;
        for (const auto& [name, member] : *object) {
            out += before;
            out += boost::json::serialize(boost::json::string_view(name));
            out += ':';
            append_json(out, member);
            before = ",";
        }
        out += '}';
    } else if (const auto* array = value.if_array()) {
        std::string_view before = "[";
        if (array->empty()) out += before;
        for (const auto& item : *array) {
            out += before;
            append_json(out, item);
            before = ",";
        }
        out += ']';
    } else if (const auto* number = value.if_double()) {
        out += std::isfinite(*number) ? fmt::format("{}", *number) : "null";
    } else {
        out += boost::json::serialize(value);
    }
}

}  // namespace

boost::json::string json_text(std::string_view text) {
    boost::json::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t size = sequence_size(text);
        if (size == 0) {
            out.append("\xEF\xBF\xBD");
            text.remove_prefix(1);
        } else {
            out.append(text.substr(0, size));
            text.remove_prefix(size);
        }
    }
    return out;
}

std::string serialised(const boost::json::value& value) {
    std::string out;
    append_json(out, value);
    return out;
}

}  // namespace baton::command
