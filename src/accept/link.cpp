#include "accept/link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "accept/real.hpp"
#include "core/wire/worker_link.hpp"

namespace baton::accept {
namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::int64_t second = 1000 * millisecond;

constexpr std::int64_t at_once = 1;
constexpr std::int64_t first_delay = 50 * millisecond;
constexpr std::int64_t longest_delay = 2 * second;
constexpr std::int64_t greeting_patience = 10 * second;
/// When credits are announced that no `done` has brought along: a descriptor may be free again.
constexpr std::int64_t owed_credit_delay = 500 * millisecond;
/// Between two looks whether the other processes' connections are over, too, while draining.
constexpr std::int64_t family_delay = 100 * millisecond;
/// batond reads its links at once; it is stopped, or lost in a bug, when it does not for so long.
constexpr int full_link_patience_ms = 10'000;
/// Errors in a row that are no packet and no end: an ECONNRESET is reported once, before the rest.
constexpr int resets_limit = 4;

/// All that batond sends to a worker that takes no bytes beside.
constexpr std::size_t packet_room = 4096;
/// All that this side says in one packet.
constexpr std::size_t message_room = 256;

/// Where numbers of hidden descriptors begin, out of the way of servers that count theirs.
constexpr std::array hidden_from{500, 64, 3};

/// More than one is no ticket: what is behind the first is closed.
constexpr std::size_t descriptors_limit = 4;

union ControlRoom {
    cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * descriptors_limit)];
};

int take_descriptor(msghdr& message) noexcept {
    int first = -1;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < std::min(count, descriptors_limit); ++index) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + index * sizeof(int), sizeof fd);
            if (first < 0) {
                first = fd;
            } else {
                real().close(fd);
            }
        }
    }
    return first;
}

struct Packet {
    std::span<const std::byte> bytes;
    int passed = -1;
};

/// @return nullopt with errno; an empty packet is the link's end
std::optional<Packet> receive(int fd, std::span<std::byte> room, int flags) noexcept {
    iovec part{.iov_base = room.data(), .iov_len = room.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlRoom control;  // NOLINT(*-member-init): filled by the kernel
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(fd, &message, flags);
    if (size < 0) return std::nullopt;
    Packet packet;
    packet.bytes = room.first(static_cast<std::size_t>(size));
    if (message.msg_controllen > 0) packet.passed = take_descriptor(message);
    return packet;
}

std::uint64_t nanoseconds_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * second +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// For the neutral state of the link's number: whatever is sent there fails.
int socket_to_nowhere() noexcept { return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0); }

}  // namespace

// ---- Beginnings

bool Link::start() noexcept {
    process_ = ::getpid();
    if (timer_ < 0) {
        const int made = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (made < 0) return false;
        for (const int from : hidden_from) {
            timer_ = real().fcntl(made, F_DUPFD_CLOEXEC, from);
            if (timer_ >= 0) break;
        }
        real().close(made);
        if (timer_ < 0) return false;
    }
    const Phase phase = phase_.load(std::memory_order_relaxed);
    if (phase == Phase::leaving || phase == Phase::over) lose_link();
    if (fd_.load(std::memory_order_relaxed) < 0 || phase == Phase::leaving ||
        phase == Phase::over) {
        phase_.store(Phase::searching, std::memory_order_relaxed);
        delay_ = first_delay;
        set_timer(at_once);
    }
    return true;
}

bool Link::start_in_child() noexcept {
    const bool started = timer_ >= 0;
    // Copies of the parent's, whose end must be seen when the parent ends.
    if (const int parents = fd_.exchange(-1, std::memory_order_relaxed); parents >= 0) {
        real().close(parents);
    }
    if (timer_ >= 0) real().close(std::exchange(timer_, -1));
    phase_.store(Phase::searching, std::memory_order_relaxed);
    state_.store(0, std::memory_order_relaxed);
    owed_.store(0, std::memory_order_relaxed);
    timer_set_.store(false, std::memory_order_relaxed);
    draining_.store(false, std::memory_order_relaxed);
    said_bye_.store(false, std::memory_order_relaxed);
    turn_.clear();
    id_ = 0;
    refused_with_id_ = false;
    random_ = 0;
    said_ = 0;
    return !started || start();
}

int Link::watched_link() const noexcept {
    const Phase phase = phase_.load(std::memory_order_acquire);
    return phase == Phase::greeting || phase == Phase::up ? fd_.load(std::memory_order_relaxed)
                                                          : -1;
}

// ---- Looking for batond

Link::Outcome Link::on_time() noexcept {
    // Before it is read: whoever sets it meanwhile says so behind this.
    if (!timer_set_.exchange(false, std::memory_order_relaxed)) return Outcome::nothing;
    std::uint64_t count = 0;
    if (::read(timer_, &count, sizeof count) != sizeof count) {
        timer_set_.store(true, std::memory_order_relaxed);
        return Outcome::nothing;
    }
    switch (phase_.load(std::memory_order_relaxed)) {
        case Phase::searching: return try_to_connect();
        case Phase::greeting: ended(epoch()); return Outcome::progress;
        case Phase::up:
            pay();
            look_whether_drained();
            return Outcome::progress;
        case Phase::leaving:
        case Phase::over: break;
    }
    return Outcome::nothing;
}

Link::Outcome Link::try_to_connect() noexcept {
    const Turn turn(turn_);
    if (!turn || phase_.load(std::memory_order_relaxed) != Phase::searching) {
        return Outcome::nothing;
    }
    // Not blocking: batond's queue of new workers may be full.
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, settings_.socket_path, settings_.socket_path_size);
    const bool connected =
        fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    if (connected && greet(fd)) return Outcome::progress;
    if (fd >= 0) real().close(fd);
    search_after_pause();
    return Outcome::nothing;
}

/// HELLO goes first, before anybody else can send on this link.
bool Link::greet(int fd) noexcept {
    real().fcntl(fd, F_SETFL, 0);  // look() may wait in it
    owed_.store(0, std::memory_order_relaxed);
    std::uint64_t state = state_.load(std::memory_order_relaxed);
    while (!state_.compare_exchange_weak(state, state + (std::uint64_t{1} << 32U),
                                         std::memory_order_acq_rel)) {}
    const bool without = std::exchange(refused_with_id_, false);
    wire::Hello hello;
    hello.capabilities = wire::Hello::keeps_connections;
    if (!without) {
        hello.worker = id_;
        if (id_ == 0 && settings_.worker != 0 && family_.claim(process_)) {
            hello.worker = id_ = settings_.worker;
        }
    }
    hello.slots = settings_.slots;
    hello.credits = settings_.slots - std::min(settings_.slots, open_of(state));
    hello.process_id = static_cast<std::uint32_t>(process_);
    hello.service = settings_.service();
    std::array<std::byte, message_room> room;  // NOLINT(*-member-init): filled by encode
    const std::size_t size = wire::encode(room, hello);
    if (::send(fd, room.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return false;
    if (!put_in_place(fd)) return false;
    phase_.store(Phase::greeting, std::memory_order_release);
    watchers_.add(fd_.load(std::memory_order_relaxed));
    set_timer(greeting_patience);
    return true;
}

/// Behind the link's own number.
bool Link::put_in_place(int fd) noexcept {
    const int number = fd_.load(std::memory_order_relaxed);
    if (number >= 0) {
        if (real().dup3(fd, number, O_CLOEXEC) < 0) return false;
        real().close(fd);
        return true;
    }
    for (const int from : hidden_from) {
        const int made = real().fcntl(fd, F_DUPFD_CLOEXEC, from);
        if (made < 0) continue;
        fd_.store(made, std::memory_order_relaxed);
        real().close(fd);
        return true;
    }
    return false;
}

void Link::welcomed(const wire::Welcome& welcome) noexcept {
    if (phase_.load(std::memory_order_relaxed) != Phase::greeting) return;
    if (welcome.version != wire::protocol_version) {
        return refused("this batond speaks another version of the worker link");
    }
    id_ = welcome.worker;
    said_bye_.store(false, std::memory_order_relaxed);
    delay_ = first_delay;
    said_ = 0;
    // The timer goes on: one look too many does no harm, and stopping it could stop what another
    // thread has just set it for.
    phase_.store(Phase::up, std::memory_order_release);
    pay();
}

/// With the id of before, or of the program, another process may have come first: then this one
/// registers by itself.
void Link::refused(std::string_view text) noexcept {
    const bool with_id = id_ != 0;
    if (with_id) {
        family_.disclaim(process_);
        id_ = 0;
        refused_with_id_ = true;
    } else {
        say("batond refuses this server: ", text);
        delay_ = longest_delay;
    }
    ended(epoch());
    if (with_id) set_timer(at_once);
}

void Link::ended(std::uint32_t epoch) noexcept {
    const Turn turn(turn_);
    const Phase phase = phase_.load(std::memory_order_relaxed);
    const bool meant = epoch == this->epoch();
    if (!turn || !meant || (phase != Phase::greeting && phase != Phase::up)) return;
    lose_link();
    if (draining_.load(std::memory_order_relaxed)) {
        return phase_.store(Phase::over, std::memory_order_release);
    }
    phase_.store(Phase::searching, std::memory_order_release);
    search_after_pause();
}

/// Explicitly out of what watches it: whoever has a copy of the link (a child between vfork and
/// exec) would keep its registration alive.
void Link::lose_link() noexcept {
    const int number = fd_.load(std::memory_order_relaxed);
    if (number < 0) return;
    watchers_.remove(number);
    real().shutdown(number, SHUT_RDWR);
    if (const int nowhere = socket_to_nowhere(); nowhere >= 0) {
        real().dup3(nowhere, number, O_CLOEXEC);
        real().close(nowhere);
    }
}

/// Twice as long each time, give or take a half: all workers of a batond that was restarted come
/// back.
void Link::search_after_pause() noexcept {
    if (random_ == 0) random_ = nanoseconds_now() ^ static_cast<std::uint64_t>(process_) << 32U;
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    const std::int64_t delay = std::max(delay_, first_delay);
    delay_ = std::min(2 * delay, longest_delay);
    set_timer(delay / 2 + static_cast<std::int64_t>(random_ >> 33U) % delay);
}

void Link::set_timer(std::int64_t nanoseconds) noexcept {
    itimerspec at{};
    at.it_value.tv_sec = nanoseconds / second;
    at.it_value.tv_nsec = nanoseconds % second;
    timer_set_.store(true, std::memory_order_relaxed);
    ::timerfd_settime(timer_, 0, &at, nullptr);
}

// ---- What batond says

Link::Outcome Link::look(bool wait, bool close_on_exec, Arrival& arrival) noexcept {
    if (timer_set_.load(std::memory_order_relaxed)) {
        if (const Outcome outcome = on_time(); outcome != Outcome::nothing) return outcome;
    }
    if (watched_link() < 0) return Outcome::nothing;
    const std::uint32_t epoch = this->epoch();
    std::array<std::byte, packet_room> room;  // NOLINT(*-member-init): filled by receive
    const int flags = (wait ? 0 : MSG_DONTWAIT) | (close_on_exec ? MSG_CMSG_CLOEXEC : 0);
    for (int resets = 0; resets < resets_limit; ++resets) {
        const auto packet = receive(fd_.load(std::memory_order_relaxed), room, flags);
        if (packet) {
            if (packet->bytes.empty()) break;
            return take_packet(packet->bytes, packet->passed, arrival);
        }
        if (errno == EAGAIN) return Outcome::nothing;
        if (errno == EINTR) return Outcome::interrupted;
    }
    ended(epoch);
    return Outcome::progress;
}

Address Link::next_client() noexcept {
    if (watched_link() < 0) return {};
    std::array<std::byte, packet_room> room;  // NOLINT(*-member-init): filled by recv
    // Without room for control data the descriptor is not installed, and stays in the packet.
    const ssize_t size = ::recv(fd_.load(std::memory_order_relaxed), room.data(), room.size(),
                                MSG_PEEK | MSG_DONTWAIT);
    if (size <= 0) return {};
    const std::span<const std::byte> packet(room);
    wire::PacketReader reader(packet.first(static_cast<std::size_t>(size)));
    const auto message = reader.next();
    if (!message || !*message) return {};
    const auto* ticket = std::get_if<wire::Ticket>(&**message);
    return ticket == nullptr ? Address() : address_of_client(ticket->client_address);
}

Link::Outcome Link::take_packet(std::span<const std::byte> packet, int passed,
                                Arrival& arrival) noexcept {
    wire::PacketReader reader(packet);
    for (;;) {
        const auto message = reader.next();
        if (!message) {
            say("batond has said what this library does not understand: are both of one version?");
            if (passed >= 0) real().close(passed);
            ended(epoch());
            return Outcome::progress;
        }
        if (!*message) return Outcome::progress;
        if (const auto* ticket = std::get_if<wire::Ticket>(&**message)) {
            if (passed >= 0) {
                take_ticket(*ticket, passed, arrival);
                return Outcome::arrived;
            }
            // The kernel had no number for it (MSG_CTRUNC): the slot is free, its credit spent.
            tell(wire::Decline{ticket->assignment, wire::Decline::no_descriptor});
            owe(1);
            return Outcome::no_descriptor;
        }
        if (const auto* welcome = std::get_if<wire::Welcome>(&**message)) {
            welcomed(*welcome);
        } else if (const auto* no = std::get_if<wire::Refused>(&**message)) {
            refused(no->text);
        } else if (std::holds_alternative<wire::Drain>(**message)) {
            drain();
        }
        // The server reads its configuration again, and says how it is, in its own ways.
    }
}

/// Taken in hand while this process drains, too: batond had decided before it knew.
void Link::take_ticket(const wire::Ticket& ticket, int passed, Arrival& arrival) noexcept {
    constexpr std::string_view unix_client = "unix:";
    arrival.fd = passed;
    arrival.assignment = ticket.assignment;
    arrival.epoch = epoch_of(state_.fetch_add(1, std::memory_order_acq_rel));
    family_.opened();
    arrival.not_tcp = (ticket.flags & wire::Ticket::bridged) != 0 ||
                      ticket.client_address.starts_with(unix_client);
    arrival.client = address_of_client(ticket.client_address);
    // Another process has been told for the whole program; batond may not know that it is meant.
    if (family_.draining() && !draining_.exchange(true, std::memory_order_relaxed)) say_bye();
}

// ---- What this side says

void Link::decline(const Arrival& arrival, std::uint32_t reason) noexcept {
    real().close(arrival.fd);
    state_.fetch_sub(1, std::memory_order_acq_rel);
    family_.closed();
    tell(wire::Decline{arrival.assignment, reason});
    owe(1);
}

void Link::closed(std::uint64_t assignment, std::uint32_t epoch, bool released,
                  std::uint64_t written) noexcept {
    const std::uint32_t now = epoch_of(state_.fetch_sub(1, std::memory_order_acq_rel));
    family_.closed();
    const bool takes_more = !draining_.load(std::memory_order_relaxed) &&
                            phase_.load(std::memory_order_relaxed) != Phase::leaving;
    const std::uint32_t credits = takes_more ? 1 + owed_.exchange(0, std::memory_order_relaxed) : 0;
    if (!released && epoch == now) {
        wire::Done done;
        done.assignment = assignment;
        done.disposition = wire::Done::close;
        done.credits = credits;
        done.bytes_written = written;
        // If it cannot be said the link is over, and the next HELLO says which slots are free.
        tell(done);
    } else if (credits > 0 && !tell(wire::Credit{credits})) {
        // This slot counted as taken in the HELLO that is under way.
        owe(credits);
    }
    if (draining_.load(std::memory_order_relaxed)) {
        look_whether_drained();
    } else if (!takes_more && open() == 0) {
        const Turn turn(turn_);
        if (turn) finish();
    }
}

bool Link::release(std::uint64_t assignment, std::uint32_t epoch) noexcept {
    if (epoch != this->epoch()) return false;
    wire::Done done;
    done.assignment = assignment;
    done.disposition = wire::Done::released;
    return tell(done);
}

void Link::owe(std::uint32_t credits) noexcept {
    owed_.fetch_add(credits, std::memory_order_relaxed);
    // While batond is looked for the timer has another purpose, and the next welcome is told.
    if (phase_.load(std::memory_order_relaxed) == Phase::up) set_timer(owed_credit_delay);
}

void Link::pay() noexcept {
    const std::uint32_t credits = owed_.exchange(0, std::memory_order_relaxed);
    if (credits > 0 && !tell(wire::Credit{credits})) {
        owed_.fetch_add(credits, std::memory_order_relaxed);
    }
}

bool Link::tell(const wire::Message& message) noexcept {
    std::array<std::byte, message_room> room;  // NOLINT(*-member-init): filled by encode
    return send(std::span(room).first(wire::encode(room, message)));
}

bool Link::send(std::span<const std::byte> packet) noexcept {
    const int fd = fd_.load(std::memory_order_relaxed);
    for (;;) {
        if (::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
            return true;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return false;
        pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
        if (::poll(&room, 1, full_link_patience_ms) > 0) continue;
        // Without this message batond's idea of this worker is wrong for good. The link's end puts
        // it right: the next HELLO says which slots are free.
        real().shutdown(fd, SHUT_RDWR);
        return false;
    }
}

// ---- Ends

void Link::drain() noexcept {
    draining_.store(true, std::memory_order_relaxed);
    // The program's own worker speaks for all its processes.
    if (family_.is_claimed_by(process_)) family_.drain();
    look_whether_drained();
}

void Link::look_whether_drained() noexcept {
    if (!draining_.load(std::memory_order_relaxed) || open() > 0) return;
    if (family_.is_claimed_by(process_) && family_.open() > 0) return set_timer(family_delay);
    const Turn turn(turn_);
    if (!turn || phase_.load(std::memory_order_relaxed) != Phase::up) return;
    say_bye();
    stop_receiving();
    finish();
    // One that an agent has started is told to end by it. Nobody else would tell this one.
    if (settings_.worker == 0) ::kill(family_.founder(), SIGTERM);
}

void Link::say_bye() noexcept {
    if (!said_bye_.exchange(true, std::memory_order_relaxed)) tell(wire::Bye{});
}

/// From now on batond's sends fail, and it gives those requests to others at once.
void Link::stop_receiving() noexcept {
    const int fd = fd_.load(std::memory_order_relaxed);
    watchers_.remove(fd);
    real().shutdown(fd, SHUT_RD);
    decline_what_has_come();
}

/// With the turn: nothing more will be said.
void Link::finish() noexcept {
    lose_link();
    phase_.store(Phase::over, std::memory_order_release);
}

void Link::stop_listening() noexcept {
    const Turn turn(turn_);
    const Phase phase = phase_.load(std::memory_order_relaxed);
    if (!turn || phase == Phase::leaving || phase == Phase::over) return;
    if (phase != Phase::up) return finish();
    phase_.store(Phase::leaving, std::memory_order_release);
    // A process of a program that goes on without it does not speak for the program.
    const bool for_the_program = family_.is_claimed_by(process_) && process_ != family_.founder();
    if (!for_the_program) say_bye();
    stop_receiving();
    if (open() == 0 && !for_the_program) finish();
}

void Link::decline_what_has_come() noexcept {
    const int fd = fd_.load(std::memory_order_relaxed);
    std::array<std::byte, packet_room> room;  // NOLINT(*-member-init): filled by receive
    for (;;) {
        const auto packet = receive(fd, room, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (!packet || packet->bytes.empty()) return;
        if (packet->passed >= 0) real().close(packet->passed);
        wire::PacketReader reader(packet->bytes);
        const auto message = reader.next();
        if (!message || !*message) continue;
        if (const auto* ticket = std::get_if<wire::Ticket>(&**message)) {
            tell(wire::Decline{ticket->assignment, wire::Decline::draining});
        }
    }
}

/// The connections themselves end when the process has: batond ends them in order before that.
void Link::end_connections(std::span<const Ended> connections) noexcept {
    const Phase phase = phase_.load(std::memory_order_relaxed);
    if (phase != Phase::up && phase != Phase::leaving) return;
    for (const Ended& each : connections) {
        wire::Done done;
        done.assignment = each.assignment;
        done.disposition = wire::Done::close;
        done.bytes_written = each.written;
        tell(done);
    }
}

/// The program's own worker that ends unasked counts as a crash, and is started again.
void Link::leave() noexcept {
    const bool asked = draining_.load(std::memory_order_relaxed);
    const bool speaks = phase_.load(std::memory_order_relaxed) == Phase::up;
    if (speaks && (asked || !family_.is_claimed_by(process_))) say_bye();
}

void Link::say(std::string_view text, std::string_view more) noexcept {
    const std::size_t hash =
        std::hash<std::string_view>{}(text) ^ std::hash<std::string_view>{}(more);
    if (std::exchange(said_, hash) == hash) return;
    constexpr std::string_view who = "libbaton-accept: ";
    constexpr std::string_view line_end = "\n";
    std::array<iovec, 4> parts{};
    std::size_t count = 0;
    for (const std::string_view part : {who, text, more, line_end}) {
        parts.at(count++) = {.iov_base = const_cast<char*>(part.data()), .iov_len = part.size()};
    }
    // Nobody can be told when this fails.
    [[maybe_unused]] const ssize_t written =
        ::writev(STDERR_FILENO, parts.data(), static_cast<int>(parts.size()));
}

}  // namespace baton::accept
