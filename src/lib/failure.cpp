#include "lib/failure.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "baton/baton.h"
#include "core/base/error.hpp"

namespace baton::lib {
namespace {

struct Note {
    int code = BATON_OK;
    std::size_t size = 0;  // 0: only the code's general text
    std::array<char, 512> text{};

    void clear(int new_code) noexcept {
        code = new_code;
        size = 0;
    }

    void add(std::string_view piece) noexcept {
        const std::size_t taken = std::min(piece.size(), text.size() - 1 - size);
        std::copy_n(piece.data(), taken, text.begin() + static_cast<std::ptrdiff_t>(size));
        size += taken;
        text.at(size) = '\0';
    }
};

// Constant-initialised and trivially destroyed: reading it costs no guard, and it is valid up to a
// thread's very end. NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
constinit thread_local Note note;

int code_of(Errc code) noexcept {
    switch (code) {
        case Errc::would_block: return BATON_E_AGAIN;
        case Errc::timed_out: return BATON_E_TIMEOUT;
        case Errc::peer_gone:
        case Errc::client_gone: return BATON_E_CLIENT_GONE;
        case Errc::malformed_chunk: return BATON_E_MALFORMED;
        case Errc::body_too_large: return BATON_E_TOO_LARGE;
        case Errc::limit_reached: return BATON_E_LIMIT;
        case Errc::invalid_argument: return BATON_E_INVALID;
        case Errc::corrupt: return BATON_E_PROTOCOL;
        // All refusals of a request head: the parser's.
        case Errc::malformed_request_line:
        case Errc::malformed_target:
        case Errc::malformed_field:
        case Errc::bare_line_break:
        case Errc::folded_field:
        case Errc::missing_host:
        case Errc::repeated_host:
        case Errc::malformed_host:
        case Errc::host_mismatch:
        case Errc::ambiguous_length:
        case Errc::malformed_length:
        case Errc::unsupported_transfer_coding:
        case Errc::unsupported_version:
        case Errc::unsupported_method:
        case Errc::expectation_failed:
        case Errc::head_too_large:
        case Errc::target_too_long: return BATON_E_MALFORMED;
        default: return BATON_E_SYSTEM;
    }
}

/// strerror_r as glibc has it with _GNU_SOURCE, which g++ always defines: the text is constant for
/// every known number.
void add_system_error(int os_errno) noexcept {
    std::array<char, 128> room{};
    note.add(::strerror_r(os_errno, room.data(), room.size()));
}

}  // namespace

int failure(int code) noexcept {
    note.clear(code);
    return code;
}

int failure(int code, std::string_view text) noexcept {
    note.clear(code);
    note.add(text);
    return code;
}

int failure(int code, std::string_view text, std::string_view name) noexcept {
    failure(code, text);
    note.add(": ");
    note.add(name);
    return code;
}

int failure(const Error& error, std::string_view doing) noexcept {
    note.clear(code_of(error.code));
    if (note.code == BATON_E_AGAIN) return note.code;  // often, and no surprise
    note.add(doing);
    note.add(": ");
    if (error.os_errno != 0) {
        add_system_error(error.os_errno);
    } else {
        note.add(describe(error.code).text);
    }
    return note.code;
}

const char* failure_text() noexcept {
    return note.size == 0 ? text_of(note.code) : note.text.data();
}

const char* text_of(int code) noexcept {
    switch (code) {
        case BATON_OK: return "no error";
        case BATON_E_AGAIN: return "nothing yet; wait for the descriptor";
        case BATON_E_TIMEOUT: return "the client did nothing for too long";
        case BATON_E_CLIENT_GONE: return "the client has gone";
        case BATON_E_MALFORMED: return "the client sent something that cannot be read";
        case BATON_E_TOO_LARGE: return "more than the limit";
        case BATON_E_NOT_FOUND: return "there is no such parameter or field";
        case BATON_E_DRAINED: return "no request will come any more";
        case BATON_E_GONE: return "batond has been away for too long";
        case BATON_E_REFUSED: return "batond does not want this worker";
        case BATON_E_FORKED: return "the handle is the parent process's; connect after the fork";
        case BATON_E_INTERRUPTED: return "interrupted by a signal";
        case BATON_E_INVALID: return "invalid argument";
        case BATON_E_STATE: return "not possible at this stage of the request";
        case BATON_E_LIMIT: return "out of descriptors or memory";
        case BATON_E_PROTOCOL: return "batond broke the protocol of the worker link";
        case BATON_E_SYSTEM: return "a system call failed";
        default: return "unknown code";
    }
}

}  // namespace baton::lib
