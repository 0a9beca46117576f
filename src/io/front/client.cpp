#include "io/front/client.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.hpp"
#include "core/http/head.hpp"
#include "core/http/method.hpp"
#include "core/http/response.hpp"

namespace baton::front {
namespace {

struct Transition {
    ClientState from;
    ClientState to;
    const char* when;
};

using enum ClientState;

constexpr std::array transitions{
    Transition{reading_head, waiting, "a head is complete"},
    Transition{reading_head, responding, "a head is refused, or did not come in time"},
    Transition{reading_head, over, "the client ends the connection, or was idle too long"},
    Transition{waiting, awaiting_body, "its service takes it with its body only"},
    Transition{awaiting_body, waiting, "the body has come, as much as is wanted"},
    Transition{awaiting_body, responding, "the body stops coming"},
    Transition{awaiting_body, over, "the client goes away"},
    Transition{waiting, delivering, "the engine names a worker"},
    Transition{waiting, responding, "the engine refuses the request"},
    Transition{waiting, over, "the client goes away"},
    Transition{delivering, handed_over, "the descriptor is passed"},
    Transition{delivering, waiting, "it could not be passed: back to the queue"},
    Transition{delivering, over, "the client is gone"},
    Transition{handed_over, reading_head, "done, keep"},
    Transition{handed_over, lingering, "done, close, with bytes of the client's unread"},
    Transition{handed_over, over, "done, close or released"},
    Transition{handed_over, waiting, "declined, or redelivered"},
    Transition{handed_over, delivering, "declined or redelivered, another worker is free"},
    Transition{handed_over, responding, "the request failed, nothing of an answer was sent"},
    Transition{handed_over, resetting, "the request failed, part of an answer was sent"},
    Transition{handed_over, sending_rest, "done, with a rest"},
    Transition{sending_rest, reading_head, "the rest is sent, keep"},
    Transition{sending_rest, lingering, "the rest is sent, close"},
    Transition{sending_rest, resetting, "the rest cannot be read"},
    Transition{sending_rest, over, "the client goes away, or takes nothing any more"},
    Transition{responding, lingering, "the answer is written"},
    Transition{responding, over, "the client ends the connection"},
    Transition{lingering, over, "the client has ended, or has had its time"},
    Transition{resetting, over, "the send queue is empty, or has had its time"},
};

Part part_of(std::string_view whole, std::string_view part) {
    if (part.empty()) return {};
    return {.offset = static_cast<std::uint16_t>(part.data() - whole.data()),
            .size = static_cast<std::uint16_t>(part.size())};
}

}  // namespace

bool may_follow(ClientState from, ClientState to) noexcept {
    return std::ranges::any_of(transitions, [&](const Transition& transition) {
        return transition.from == from && transition.to == to;
    });
}

void describe_request(Request& request, const http::Head& head, std::string_view bytes) {
    request.head_bytes = static_cast<std::uint32_t>(head.size());
    request.expected_bytes = head.size() + head.content_length();
    request.chunked = head.framing() == http::Framing::chunked;
    request.idempotent = head.idempotent();
    request.expects_continue = head.expect_continue();
    request.head_method = head.method() == http::Method::head;
    request.json = http::prefers_json(head.accept());
    const auto line_begin = head.method_text().data() - bytes.data();
    const auto line = bytes.substr(static_cast<std::size_t>(line_begin),
                                   bytes.find('\r', static_cast<std::size_t>(line_begin)) -
                                       static_cast<std::size_t>(line_begin));
    request.line = part_of(bytes, line);
    request.referer = part_of(bytes, head.value_of("referer"));
    request.user_agent = part_of(bytes, head.value_of("user-agent"));
}

void Client::enter(ClientState next) {
    BATON_ASSERT(may_follow(state, next));
    state = next;
}

}  // namespace baton::front
