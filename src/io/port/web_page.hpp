#pragma once

#include <string_view>

namespace baton::port {

/// Whether a line is the beginning of an HTTP request, or one of its fields: a web page can make a
/// browser send such lines to a port on the reader's own machine, with commands behind them.
[[nodiscard]] bool looks_like_http(std::string_view line) noexcept;

}  // namespace baton::port
