#include "core/wire/worker_link.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/base/error.hpp"

namespace baton::wire {
namespace {

using Packet = std::vector<std::byte>;

Packet bytes_of(std::initializer_list<int> values) {
    Packet bytes;
    std::ranges::transform(values, std::back_inserter(bytes),
                           [](int value) { return static_cast<std::byte>(value); });
    return bytes;
}

Packet packet_of(const Message& message) {
    Packet packet;
    append(packet, message);
    return packet;
}

/// The one message of a packet, with views into `packet`.
Result<std::optional<Message>> read_one(const Packet& packet) {
    PacketReader reader(packet);
    auto first = reader.next();
    if (!first || !*first) return first;
    const auto second = reader.next();
    if (!second) return std::unexpected(second.error());
    EXPECT_FALSE(second->has_value());
    return first;
}

void expect_corrupt(const Packet& packet, std::string_view why) {
    const auto message = read_one(packet);
    ASSERT_FALSE(message) << why;
    EXPECT_EQ(message.error().code, Errc::corrupt) << why;
}

// The layouts are a promise to programs that never saw this source:
// docs/reference/worker-contract.md has the same bytes.

TEST(WorkerLinkLayout, Hello) {
    EXPECT_EQ(packet_of(Hello{.version_lowest = 1,
                              .version_highest = 2,
                              .capabilities = 3,
                              .worker = 0x0807060504030201,
                              .slots = 4,
                              .credits = 2,
                              .process_id = 4711,
                              .service = "echo"}),
              bytes_of({1,    0,    0,   0,   48, 0, 0, 0,     // type, flags, size
                        1,    0,    2,   0,   3,  0, 0, 0,     // versions, capabilities
                        1,    2,    3,   4,   5,  6, 7, 8,     // worker
                        4,    0,    0,   0,   2,  0, 0, 0,     // slots, credits
                        0x67, 0x12, 0,   0,   4,  0, 0, 0,     // pid, size of the name, 0
                        'e',  'c',  'h', 'o', 0,  0, 0, 0}));  // name, padding
}

TEST(WorkerLinkLayout, Done) {
    EXPECT_EQ(packet_of(Done{.assignment = 7,
                             .disposition = Done::released,
                             .status = 101,
                             .credits = 1,
                             .bytes_read = 300,
                             .bytes_written = 65537}),
              bytes_of({2,  0, 0, 0, 40,  0, 0, 0,     //
                        7,  0, 0, 0, 0,   0, 0, 0,     // assignment
                        44, 1, 0, 0, 0,   0, 0, 0,     // bytes read
                        1,  0, 1, 0, 0,   0, 0, 0,     // bytes written
                        1,  0, 0, 0, 101, 0, 2, 0}));  // credits, status, disposition, 0
}

TEST(WorkerLinkLayout, DoneWithARest) {
    EXPECT_EQ(packet_of(Done{.assignment = 7,
                             .disposition = Done::keep,
                             .status = 200,
                             .credits = 1,
                             .bytes_read = 300,
                             .bytes_written = 65537,
                             .rest = Rest{.offset = 4096, .bytes = 131072}}),
              bytes_of({2,  0,  0, 0, 56,  0, 0, 0,     //
                        7,  0,  0, 0, 0,   0, 0, 0,     // assignment
                        44, 1,  0, 0, 0,   0, 0, 0,     // bytes read
                        1,  0,  1, 0, 0,   0, 0, 0,     // bytes written
                        1,  0,  0, 0, 200, 0, 0, 1,     // credits, status, disposition, flags
                        0,  16, 0, 0, 0,   0, 0, 0,     // rest: offset
                        0,  0,  2, 0, 0,   0, 0, 0}));  // rest: bytes
}

TEST(WorkerLinkLayout, Ticket) {
    EXPECT_EQ(packet_of(Ticket{.assignment = 7,
                               .request = 8,
                               .client = 9,
                               .flags = Ticket::close_after,
                               .attempt = 1,
                               .head_bytes = 80,
                               .client_address = "[::1]:80",
                               .bytes_beside = "GET "}),
              bytes_of({34,  0,   0,   0,   72,  0,   0,   0,    //
                        7,   0,   0,   0,   0,   0,   0,   0,    // assignment
                        8,   0,   0,   0,   0,   0,   0,   0,    // request
                        9,   0,   0,   0,   0,   0,   0,   0,    // client
                        2,   0,   0,   0,   1,   0,   0,   0,    // flags, attempt
                        80,  0,   0,   0,   4,   0,   0,   0,    // head bytes, bytes beside
                        8,   0,   0,   0,   0,   0,   0,   0,    // size of the address, 0, 0
                        '[', ':', ':', '1', ']', ':', '8', '0',  //
                        'G', 'E', 'T', ' ', 0,   0,   0,   0}));
}

TEST(WorkerLinkLayout, TheOthers) {
    EXPECT_EQ(packet_of(Decline{.assignment = 7, .reason = Decline::draining}),
              bytes_of({3, 0, 0, 0, 24, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(packet_of(Credit{.count = 2}),
              bytes_of({4, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(packet_of(Bye{}), bytes_of({5, 0, 0, 0, 8, 0, 0, 0}));
    EXPECT_EQ(packet_of(StatusText{"ok"}), bytes_of({6, 0, 0, 0, 24,  0,   0, 0, 2, 0, 0, 0,
                                                     0, 0, 0, 0, 'o', 'k', 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(packet_of(Welcome{
                  .version = 1, .worker = 5, .head_limit_bytes = 16384, .reconnect_seconds = 30}),
              bytes_of({33, 0, 0, 0, 32, 0, 0, 0, 1,  0, 0, 0, 0, 64, 0, 0,
                        5,  0, 0, 0, 0,  0, 0, 0, 30, 0, 0, 0, 0, 0,  0, 0}));
    EXPECT_EQ(packet_of(Leased{.assignment = 7, .request = 8, .first = 1, .records = "r"}),
              bytes_of({7, 0, 0, 0, 40, 0, 0, 0, 7, 0, 0, 0, 0,   0, 0, 0, 8, 0, 0, 0,
                        0, 0, 0, 0, 1,  0, 0, 0, 1, 0, 0, 0, 'r', 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(packet_of(Lease{.assignment = 1,
                              .epoch = 2,
                              .routes_version = 3,
                              .body_limit = 4,
                              .head_bytes = 5,
                              .target_bytes = 6,
                              .fields = 7,
                              .flags = 1}),
              bytes_of({39, 0, 0, 0, 56, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0,
                        0,  0, 0, 0, 0,  3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0,
                        0,  0, 5, 0, 0,  0, 6, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0}));
    EXPECT_EQ(packet_of(Revoke{9}), bytes_of({40, 0, 0, 0, 16, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(packet_of(Routes{.version = 3, .text = "+ * /"}),
              bytes_of({41, 0, 0, 0, 32, 0, 0, 0, 3,   0,   0,   0,   0,   0, 0, 0,
                        5,  0, 0, 0, 0,  0, 0, 0, '+', ' ', '*', ' ', '/', 0, 0, 0}));
    EXPECT_EQ(packet_of(Forget{.client = 9, .assignment = 7}),
              bytes_of({42, 0, 0, 0, 24, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(packet_of(Drain{}), bytes_of({35, 0, 0, 0, 8, 0, 0, 0}));
    EXPECT_EQ(packet_of(Reinit{}), bytes_of({36, 0, 0, 0, 8, 0, 0, 0}));
    EXPECT_EQ(packet_of(Status{}), bytes_of({37, 0, 0, 0, 8, 0, 0, 0}));
    EXPECT_EQ(packet_of(Refused{"no"}), bytes_of({38, 0, 0, 0, 24,  0,   0, 0, 2, 0, 0, 0,
                                                  0,  0, 0, 0, 'n', 'o', 0, 0, 0, 0, 0, 0}));
}

TEST(WorkerLink, SeveralMessagesTravelInOnePacket) {
    Packet packet;
    append(packet, Done{.assignment = 7});
    append(packet, Bye{});
    PacketReader reader(packet);
    EXPECT_EQ(std::get<Done>(reader.next()->value()).assignment, 7U);
    EXPECT_TRUE(std::holds_alternative<Bye>(reader.next()->value()));
    EXPECT_FALSE(reader.next()->has_value());
}

TEST(WorkerLink, AnUnknownMessageIsSkippedIfItSaysSoAndEndsTheLinkIfNot) {
    Packet packet = bytes_of({99, 0, 0, 0x80, 16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8});
    append(packet, Bye{});
    EXPECT_TRUE(std::holds_alternative<Bye>(read_one(packet)->value()));
    packet[3] = std::byte{0};
    expect_corrupt(packet, "a message that must be understood");
}

TEST(WorkerLink, ALaterVersionMayAddToHelloOnly) {
    Packet hello = packet_of(Hello{.service = "echo"});
    const Packet more(16, std::byte{0xff});
    hello.insert(hello.end(), more.begin(), more.end());
    hello[4] = static_cast<std::byte>(hello.size());
    EXPECT_EQ(std::get<Hello>(read_one(hello)->value()).service, "echo");

    Packet bye = packet_of(Bye{});
    bye.insert(bye.end(), 8, std::byte{0});
    bye[4] = static_cast<std::byte>(bye.size());
    expect_corrupt(bye, "a bye with something behind it");
}

TEST(WorkerLink, BrokenPacketsAreCorrupt) {
    const Packet good = packet_of(Ticket{.client_address = "unix:", .bytes_beside = "GET /"});
    for (std::size_t size = 1; size < good.size(); ++size) {
        expect_corrupt({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)},
                       "cut after " + std::to_string(size));
    }
    const auto with = [&good](std::size_t place, int value) {
        Packet packet = good;
        packet[place] = static_cast<std::byte>(value);
        return packet;
    };
    expect_corrupt(with(2, 1), "a flag without a meaning");
    expect_corrupt(with(3, 0x80), "optional, though every worker knows it");
    expect_corrupt(with(4, 65), "a size that is no multiple of 8");
    expect_corrupt(with(4, 0), "a size below the header's");
    expect_corrupt(with(7, 0x80), "a size beyond the packet");
    expect_corrupt(with(44, 12), "more bytes beside than there are");
    expect_corrupt(with(47, 0xff), "far more");
    expect_corrupt(with(48, 65), "an address above its limit");
    expect_corrupt(with(50, 1), "a reserved field");
    expect_corrupt(with(good.size() - 1, 1), "padding");

    Packet done = packet_of(Done{});
    done[38] = std::byte{3};
    expect_corrupt(done, "a disposition without a meaning");
    done[38] = std::byte{0};
    done[39] = std::byte{0x40};
    expect_corrupt(done, "a flag without a meaning");
}

TEST(WorkerLink, ARestIsSaidInOneWayOnly) {
    const Packet good = packet_of(Done{.rest = Rest{.offset = 8, .bytes = 8}});
    const auto with = [&good](std::size_t place, int value) {
        Packet packet = good;
        packet[place] = static_cast<std::byte>(value);
        return packet;
    };
    expect_corrupt(with(39, 0), "a rest without its flag");
    expect_corrupt(with(39, 3), "a flag without a meaning");
    expect_corrupt(with(38, Done::released), "the rest of an answer that was no answer");
    expect_corrupt(with(48, 0), "a rest of nothing");
    expect_corrupt(with(55, 0x80), "more bytes than a file can have");
    expect_corrupt(with(47, 0x80), "an offset that no file has");
    auto farthest = with(47, 0x7f);
    std::fill(farthest.begin() + 40, farthest.begin() + 47, std::byte{0xff});
    expect_corrupt(farthest, "an end that no file has");
    Packet plain = packet_of(Done{});
    plain[39] = std::byte{1};
    expect_corrupt(plain, "a flag without its rest");

    std::array<std::byte, 64> buffer{};
    EXPECT_EQ(encode(buffer, Done{.rest = Rest{.offset = 0, .bytes = 0}}), 0U);
    EXPECT_EQ(
        encode(buffer, Done{.disposition = Done::released, .rest = Rest{.offset = 0, .bytes = 1}}),
        0U);
    EXPECT_EQ(
        encode(buffer, Done{.flags = Done::kept_duplicate, .rest = Rest{.offset = 0, .bytes = 1}}),
        0U);
}

TEST(WorkerLink, NothingIsWrittenThatDoesNotFitOrIsAboveItsLimit) {
    std::array<std::byte, 64> buffer;
    buffer.fill(std::byte{0xaa});
    EXPECT_EQ(encode(std::span(buffer).first(39), Done{}), 0U);
    EXPECT_EQ(buffer[0], std::byte{0xaa});
    EXPECT_EQ(encode(std::span(buffer).first(40), Done{}), 40U);

    Packet large(packet_size_limit);
    const std::string address(client_address_limit, 'a');
    const std::string beside(bytes_beside_limit, 'b');
    EXPECT_NE(encode(large, Ticket{.client_address = address, .bytes_beside = beside}), 0U);
    EXPECT_EQ(encode(large, Ticket{.client_address = address + 'a', .bytes_beside = {}}), 0U);
    EXPECT_EQ(encode(large, Ticket{.client_address = {}, .bytes_beside = beside + 'b'}), 0U);
    EXPECT_EQ(encode(large, Message{Hello{.service = std::string(99, 's')}}), 0U);
}

TEST(WorkerLink, TextsForPeopleAreCutAtTheirLimit) {
    const std::string long_text(status_text_limit + 1, 'x');
    const Packet status = packet_of(StatusText{long_text});
    EXPECT_EQ(std::get<StatusText>(read_one(status)->value()).text.size(), status_text_limit);
    const Packet refused = packet_of(Refused{long_text});
    EXPECT_EQ(std::get<Refused>(read_one(refused)->value()).text.size(), refused_text_limit);
}

TEST(WorkerLinkDeathTest, AppendingAboveALimitIsABug) {
    Packet packet;
    const std::string name(service_name_limit + 1, 's');
    EXPECT_DEATH(append(packet, Hello{.service = name}), "written == size");
}

/// A message with the texts it points to.
struct Sample {
    std::string text;
    std::string second;
    Message message;
};

std::string any_text(std::size_t limit) {
    auto text = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    if (*rc::gen::inRange(0, 8) == 0) text.resize(limit, 'x');
    return text.substr(0, limit);
}

template <typename Number>
Number any() {
    return *rc::gen::arbitrary<Number>();
}

Done any_done() {
    Done done{any<std::uint64_t>(),
              *rc::gen::element(Done::keep, Done::close, Done::released),
              any<std::uint16_t>(),
              any<std::uint32_t>(),
              any<std::uint64_t>(),
              any<std::uint64_t>(),
              static_cast<std::uint8_t>(any<std::uint8_t>() & Done::known_flags)};
    const bool may_have_rest =
        done.disposition != Done::released && (done.flags & Done::kept_duplicate) == 0;
    if (may_have_rest && any<bool>()) {
        const auto half = std::numeric_limits<std::uint64_t>::max() / 4;
        done.rest = Rest{.offset = *rc::gen::inRange<std::uint64_t>(0, half),
                         .bytes = *rc::gen::inRange<std::uint64_t>(1, half)};
    }
    return done;
}

void any_message(Sample& sample) {
    switch (*rc::gen::inRange<std::size_t>(0, std::variant_size_v<Message>)) {
        case 0:
            sample.text = any_text(service_name_limit);
            sample.message = Hello{any<std::uint16_t>(), any<std::uint16_t>(), any<std::uint32_t>(),
                                   any<std::uint64_t>(), any<std::uint32_t>(), any<std::uint32_t>(),
                                   any<std::uint32_t>(), sample.text};
            break;
        case 1: sample.message = any_done(); break;
        case 2: sample.message = Decline{any<std::uint64_t>(), any<std::uint32_t>()}; break;
        case 3: sample.message = Credit{any<std::uint32_t>()}; break;
        case 4: sample.message = Bye{}; break;
        case 5:
            sample.text = any_text(status_text_limit);
            sample.message = StatusText{sample.text};
            break;
        case 6:
            sample.message =
                Welcome{any<std::uint16_t>(), any<std::uint64_t>(), any<std::uint32_t>(),
                        any<std::uint32_t>(), any<std::uint32_t>()};
            break;
        case 7:
            sample.text = any_text(client_address_limit);
            sample.second = any_text(bytes_beside_limit);
            sample.message =
                Ticket{any<std::uint64_t>(), any<std::uint64_t>(), any<std::uint64_t>(),
                       any<std::uint32_t>(), any<std::uint32_t>(), any<std::uint32_t>(),
                       sample.text,          sample.second};
            break;
        case 8: sample.message = Drain{}; break;
        case 9: sample.message = Reinit{}; break;
        case 10: sample.message = Status{}; break;
        case 11:
            sample.text = any_text(leased_records_limit);
            sample.message = Leased{any<std::uint64_t>(), any<std::uint64_t>(),
                                    any<std::uint32_t>(), sample.text};
            break;
        case 12:
            sample.message = Lease{any<std::uint64_t>(), any<std::uint64_t>(), any<std::uint64_t>(),
                                   any<std::uint64_t>(), any<std::uint32_t>(), any<std::uint32_t>(),
                                   any<std::uint32_t>(), any<std::uint32_t>()};
            break;
        case 13: sample.message = Revoke{any<std::uint64_t>()}; break;
        case 14:
            sample.text = any_text(routes_text_limit);
            sample.message = Routes{any<std::uint64_t>(), sample.text};
            break;
        case 15: sample.message = Forget{any<std::uint64_t>(), any<std::uint64_t>()}; break;
        default: sample.text = any_text(refused_text_limit); sample.message = Refused{sample.text};
    }
}

RC_GTEST_PROP(WorkerLinkProperty, EveryMessageComesOutAsItWentIn, ()) {
    Sample sample;
    any_message(sample);
    const Packet packet = packet_of(sample.message);
    RC_ASSERT(packet.size() == encoded_size(sample.message));
    RC_ASSERT(packet.size() % 8 == 0);
    RC_ASSERT(packet.size() <= packet_size_limit);
    const auto read = read_one(packet);
    RC_ASSERT(read.has_value());
    RC_ASSERT(**read == sample.message);
}

RC_GTEST_PROP(WorkerLinkProperty, WhatIsAcceptedWouldBeWrittenTheSameWay, ()) {
    Sample sample;
    any_message(sample);
    RC_PRE(!std::holds_alternative<Hello>(sample.message));  // may have more behind it
    Packet packet = packet_of(sample.message);
    for (int changes = *rc::gen::inRange(1, 4); changes > 0; --changes) {
        const auto place =
            *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(packet.size(), 64));
        packet[place] = static_cast<std::byte>(any<std::uint8_t>());
    }
    PacketReader reader(packet);
    const auto read = reader.next();
    if (!read || !*read) return;
    const Packet again = packet_of(**read);
    if (std::holds_alternative<Hello>(**read)) return;
    RC_ASSERT(again.size() <= packet.size());
    RC_ASSERT(std::ranges::equal(again, std::span(packet).first(again.size())));
}

}  // namespace
}  // namespace baton::wire
