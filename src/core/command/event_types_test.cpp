#include "core/command/event_types.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/engine/views.hpp"

namespace baton::command {
namespace {

using engine::EventKind;
using engine::EventTypes;

std::string read_and_written(std::string_view text) {
    const auto types = parse_event_types(text);
    return types ? event_types_text(*types) : types.error().text();
}

TEST(EventTypes, AreNamedOneByOneOrByTheirFirstWords) {
    EXPECT_EQ(read_and_written("all"), "all");
    EXPECT_EQ(read_and_written("worker_lost,worker_ended"), "worker_lost,worker_ended");
    EXPECT_EQ(read_and_written("command,attach_wanted,attach_taken"), "attach,command");
    EXPECT_EQ(read_and_written("request,delivery,worker,attach,service,command"), "all");
    const auto types = parse_event_types("request,worker_lost");
    ASSERT_TRUE(types.has_value());
    EXPECT_TRUE(types->has(EventKind::request_done));
    EXPECT_TRUE(types->has(EventKind::worker_lost));
    EXPECT_FALSE(types->has(EventKind::worker_ended));
}

TEST(EventTypes, AnUnknownOneIsToldWhatThereIs) {
    EXPECT_EQ(read_and_written("worker_los"),
              "types: 'worker_los' is no kind of event; did you mean 'worker_lost'?");
    EXPECT_EQ(read_and_written("worker,"),
              "types: '' is no kind of event; known are all, request, delivery, worker, attach, "
              "service, command, and their single kinds as 'json listevents' names them");
}

RC_GTEST_PROP(EventTypes, ComeBackFromTheirText, (std::uint32_t chosen)) {
    EventTypes types = EventTypes::none();
    for (std::size_t index = 0; index < engine::event_kind_count; ++index) {
        if ((chosen >> index & 1U) != 0) types.add(static_cast<EventKind>(index));
    }
    RC_PRE(types != EventTypes::none());
    const auto read = parse_event_types(event_types_text(types));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == types);
}

}  // namespace
}  // namespace baton::command
