#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/json.hpp>

#include "core/base/time.hpp"

/// What the renderers of JSON share. Only for this room's sources.
namespace baton::command {

inline double milliseconds_of(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

inline boost::json::value milliseconds_json(std::optional<Duration> duration) {
    if (!duration) return nullptr;
    return milliseconds_of(*duration);
}

/// Texts that come from outside may be no UTF-8, which JSON has to be: wrong bytes become U+FFFD.
[[nodiscard]] boost::json::string json_text(std::string_view text);

/// An id, or null for `none`.
template <typename Id>
boost::json::value id_json(Id id) {
    if (id == Id::none) return nullptr;
    return static_cast<std::underlying_type_t<Id>>(id);
}

/// As text, on one line.
[[nodiscard]] std::string serialised(const boost::json::value& value);

}  // namespace baton::command
