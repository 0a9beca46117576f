#include "core/command/json.hpp"

#include <cmath>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/utf8.hpp"

namespace baton::command {
namespace {

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
    const std::string right = well_formed_utf8(text);
    return boost::json::string(right);
}

std::string serialised(const boost::json::value& value) {
    std::string out;
    append_json(out, value);
    return out;
}

}  // namespace baton::command
