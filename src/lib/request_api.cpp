#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "baton/baton.h"
#include "core/base/time.hpp"
#include "core/http/framing.hpp"
#include "core/http/head.hpp"
#include "core/http/lines.hpp"
#include "core/http/text.hpp"
#include "core/wire/worker_link.hpp"
#include "lib/failure.hpp"
#include "lib/handles.hpp"
#include "lib/percent.hpp"
#include "lib/request.hpp"
#include "lib/worker.hpp"

namespace {

using namespace baton;  // NOLINT(google-build-using-namespace)
using lib::behind;
using lib::string_of;

/// The head's answer, once there is one.
template <typename Question>
auto of_head(const baton_request_t* request, Question question) noexcept {
    const lib::Request& object = behind(request);
    const bool known = object.head_is_read();
    using Answer = decltype(question(object.head()));
    return known ? question(object.head()) : Answer{};
}

/// As a C string.
/// @return its size, or what is wrong
std::ptrdiff_t decode_into(std::string_view text, lib::Plus plus, char* buffer,
                           std::size_t size) noexcept {
    if (size == 0) return lib::failure(BATON_E_INVALID, "no room for a zero byte");
    buffer[0] = '\0';
    const auto decoded = lib::decode_percent(text, plus, std::span(buffer, size - 1));
    if (!decoded) {
        buffer[0] = '\0';
        return decoded.error().code == Errc::invalid_argument
                   ? lib::failure(BATON_E_INVALID, "a '%' without two hex digits")
                   : lib::failure(BATON_E_TOO_LARGE, "the decoded text is larger than the buffer");
    }
    buffer[*decoded] = '\0';
    return static_cast<std::ptrdiff_t>(*decoded);
}

}  // namespace

int baton_request_read_head(baton_request_t* request) noexcept {
    return lib::guarded([&] { return behind(request).read_head(); });
}

int baton_request_fd(const baton_request_t* request) noexcept {
    return behind(request).stream().fd().get();
}

uint64_t baton_request_id(const baton_request_t* request) noexcept {
    return behind(request).ticket().request;
}

uint64_t baton_request_client_id(const baton_request_t* request) noexcept {
    return behind(request).ticket().client;
}

unsigned baton_request_attempt(const baton_request_t* request) noexcept {
    return behind(request).ticket().attempt;
}

int baton_request_bridged(const baton_request_t* request) noexcept {
    return (behind(request).ticket().flags & wire::Ticket::bridged) != 0 ? 1 : 0;
}

int baton_request_rest_welcome(const baton_request_t* request) noexcept {
    return behind(request).rest_welcome() ? 1 : 0;
}

baton_string_t baton_request_client_address(const baton_request_t* request) noexcept {
    return string_of(behind(request).client_address());
}

baton_string_t baton_request_bytes_beside(const baton_request_t* request) noexcept {
    return string_of(behind(request).stream().bytes_beside());
}

baton_string_t baton_request_method(const baton_request_t* request) noexcept {
    return of_head(request, [](const auto& head) { return string_of(head.method_text()); });
}

baton_string_t baton_request_target(const baton_request_t* request) noexcept {
    return of_head(request, [](const auto& head) { return string_of(head.target()); });
}

baton_string_t baton_request_path(const baton_request_t* request) noexcept {
    return of_head(request, [](const auto& head) { return string_of(head.path()); });
}

baton_string_t baton_request_query(const baton_request_t* request) noexcept {
    return of_head(request, [](const auto& head) { return string_of(head.query()); });
}

int baton_request_minor_version(const baton_request_t* request) noexcept {
    return of_head(request, [](const auto& head) { return head.minor_version(); });
}

baton_string_t baton_request_header(const baton_request_t* request, const char* name) noexcept {
    return of_head(request, [name](const http::Head& head) -> baton_string_t {
        for (std::size_t index = 0; index < head.field_count(); ++index) {
            const http::Field field = head.field(index);
            if (http::equal_ignoring_case(field.name, name)) return string_of(field.value);
        }
        return {nullptr, 0};
    });
}

size_t baton_request_header_count(const baton_request_t* request) noexcept {
    return of_head(request, [](const auto& head) { return head.field_count(); });
}

int baton_request_header_at(const baton_request_t* request, size_t index, baton_string_t* name,
                            baton_string_t* value) noexcept {
    *name = {nullptr, 0};
    *value = {nullptr, 0};
    if (index >= baton_request_header_count(request)) return lib::failure(BATON_E_NOT_FOUND);
    const http::Field field = behind(request).head().field(index);
    *name = string_of(field.name);
    *value = string_of(field.value);
    return BATON_OK;
}

baton_string_t baton_request_head(const baton_request_t* request) noexcept {
    return string_of(behind(request).head_bytes());
}

ptrdiff_t baton_request_parameter(const baton_request_t* request, const char* name, char* buffer,
                                  size_t size) noexcept {
    const auto query = of_head(request, [](const auto& head) { return head.query(); });
    const auto value = lib::find_parameter(query, name);
    if (value) return decode_into(*value, lib::Plus::is_blank, buffer, size);
    if (size > 0) buffer[0] = '\0';
    return lib::failure(BATON_E_NOT_FOUND, "the query has no such parameter", name);
}

ptrdiff_t baton_percent_decode(const char* text, size_t text_size, char* buffer,
                               size_t size) noexcept {
    return decode_into({text, text_size}, lib::Plus::is_itself, buffer, size);
}

void baton_request_set_timeout(baton_request_t* request, int timeout_ms) noexcept {
    const bool waits = timeout_ms > 0;
    behind(request).set_patience(waits ? Duration(std::chrono::milliseconds(timeout_ms))
                                       : Duration::zero());
}

int baton_client_gone(const baton_request_t* request) noexcept {
    const auto& stream = behind(request).stream();
    return stream.is_open() && stream.peer_has_left() ? 1 : 0;
}

int64_t baton_request_content_length(const baton_request_t* request) noexcept {
    return of_head(request, [](const http::Head& head) -> std::int64_t {
        if (head.framing() == http::Framing::chunked) return BATON_UNKNOWN_LENGTH;
        return static_cast<std::int64_t>(head.content_length());
    });
}

ptrdiff_t baton_request_read(baton_request_t* request, void* buffer, size_t size) noexcept {
    return lib::guarded(
        [&] { return behind(request).read(std::span(static_cast<char*>(buffer), size)); });
}

int baton_request_discard_body(baton_request_t* request, uint64_t limit) noexcept {
    return lib::guarded([&] { return behind(request).discard_body(limit); });
}

int baton_done(baton_request_t* request) noexcept {
    return lib::guarded([&] { return behind(request).done(); });
}

int baton_done_as(baton_request_t* request, const baton_outcome_t* outcome) noexcept {
    return lib::guarded([&]() -> int {
        // A caller compiled against an older header knows nothing of a rest.
        if (outcome->size < offsetof(baton_outcome_t, rest_offset)) {
            return lib::failure(BATON_E_INVALID, "the outcome's size is not set");
        }
        baton_outcome_t all{};
        std::memcpy(&all, outcome, std::min(outcome->size, sizeof all));
        return behind(request).done_as(all);
    });
}

int baton_decline(baton_request_t* request, int reason) noexcept {
    return lib::guarded([&]() -> int {
        if (reason < 0) return lib::failure(BATON_E_INVALID, "no reason of BATON_DECLINE_...");
        return behind(request).decline(static_cast<std::uint32_t>(reason));
    });
}

int baton_release(baton_request_t* request, int keep_slot, int* fd) noexcept {
    return lib::guarded([&] { return behind(request).release(keep_slot != 0, *fd); });
}

void baton_request_free(baton_request_t* request) noexcept {
    if (request == nullptr) return;
    lib::Request& object = behind(request);
    static_cast<void>(lib::guarded([&]() -> int {
        if (object.worker().forked()) {
            object.close_in_child();
            return BATON_OK;
        }
        object.abandon();
        object.worker().free(object);
        return BATON_OK;
    }));
}
