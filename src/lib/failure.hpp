#pragma once

#include <string_view>

#include "baton/baton.h"
#include "core/base/error.hpp"

/// How a failure leaves the library: a baton_code, with a text kept for baton_error_text().
///
/// The text is the library's one piece of state outside its handles: it belongs to the thread, like
/// errno, since a failed connect leaves no handle that could keep it. Nothing here allocates.
namespace baton::lib {

/// Returns `code`; its general text is what there is to say. For outcomes that are no surprise.
int failure(int code) noexcept;

/// Returns `code` and keeps `text`, cut at 500 bytes.
int failure(int code, std::string_view text) noexcept;

/// The same with a name in it: `text: name`.
int failure(int code, std::string_view text, std::string_view name) noexcept;

/// Turns an error of the rooms below into a code, and keeps `doing: why`.
///
/// `would_block` is BATON_E_AGAIN, `peer_gone` and `client_gone` are BATON_E_CLIENT_GONE: whoever
/// talks to batond instead of a client translates those itself.
int failure(const Error& error, std::string_view doing) noexcept;

/// Of this thread's last failure; valid until the next one.
[[nodiscard]] const char* failure_text() noexcept;

/// What a code means in general.
[[nodiscard]] const char* text_of(int code) noexcept;

}  // namespace baton::lib
