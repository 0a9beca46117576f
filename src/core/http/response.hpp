#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"

namespace baton::http {

/// `Not Found` for 404; `Unknown` for a code without a registered phrase.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// The interim answer to `Expect: 100-continue`.
inline constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

/// `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate of RFC 9110, 5.6.7), 29 characters.
using HttpDate = std::array<char, 29>;
/// @param when  in the years 0000 to 9999
[[nodiscard]] HttpDate http_date(std::chrono::sys_seconds when) noexcept;

/// A short response of Baton's own. All views are borrowed for the call; texts that become field
/// values must not hold control characters.
struct Response {
    int status = 200;  ///< not 1xx
    std::string_view content_type = "text/plain; charset=utf-8";
    std::string_view body = {};
    bool keep_alive = false;  ///< else the connection ends with it
    bool head_only = false;   ///< the request was HEAD
    std::optional<std::chrono::seconds> retry_after = {};
    std::string_view allow = {};          ///< left out when empty
    std::string_view cache_control = {};  ///< left out when empty
    RequestId request = RequestId::none;  ///< X-Request-Id; left out when none
    std::string_view date = {};           ///< left out when empty
};

/// The bytes to send. 204 and 304 get neither body nor Content-Length.
[[nodiscard]] std::string compose(const Response& response);

/// How Baton says no.
struct Refusal {
    Errc code{};  ///< its row gives status, name and text
    RequestId request = RequestId::none;
    bool json = false;  ///< prefers_json() of the request's Accept
    bool keep_alive = false;
    bool head_only = false;
    std::optional<std::chrono::seconds> retry_after = {};  ///< for 503
    std::string_view allow = {};                           ///< for method_not_allowed
    std::string_view detail = {};  ///< more for people, in UTF-8; may be empty
    std::string_view date = {};
};

/// The bytes to send: a body of a line or two, as text or as JSON
/// `{"status":503,"error":"queue_full","message":"...","request":"17"}`, which nobody may cache.
[[nodiscard]] std::string compose(const Refusal& refusal);

/// True if the value of an Accept field names JSON (`application/json` or `application/*+json`) and
/// likes it at least as much as text (`text/plain`, `text/html`, `text/*`, `*/*`).
///
/// A browser gets text, `curl` (`*/*`) gets text, a script that asks for JSON gets JSON. Malformed
/// members do not count.
[[nodiscard]] bool prefers_json(std::string_view accept) noexcept;

/// Appends `text` as a JSON string, quotes included. Bytes from 0x80 on are taken for UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace baton::http
