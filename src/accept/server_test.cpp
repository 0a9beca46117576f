// A server whose calls are the tested ones, against a batond played by the test.

#include "accept/server.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "accept/settings.hpp"
#include "core/wire/worker_link.hpp"

namespace baton::accept {
namespace {

/// Long enough for any machine; reached only when a test fails.
constexpr int patience_ms = 20'000;

bool becomes_readable(int fd, int within_ms = patience_ms) {
    pollfd it{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&it, 1, within_ms) > 0;
}

/// batond's end of one link. What was received is kept, since messages are views into it.
class FakeLink {
public:
    explicit FakeLink(int fd) : fd_(fd) {}
    FakeLink(FakeLink&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FakeLink& operator=(FakeLink&&) = delete;
    FakeLink(const FakeLink&) = delete;
    FakeLink& operator=(const FakeLink&) = delete;
    ~FakeLink() { close(); }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

    /// The next message; nullopt: the link has ended.
    std::optional<wire::Message> next() {
        if (!becomes_readable(fd_)) ADD_FAILURE() << "the server says nothing";
        auto& packet = packets_.emplace_back(4096);
        const ssize_t size = ::recv(fd_, packet.data(), packet.size(), MSG_DONTWAIT);
        if (size < 0 && errno == ECONNRESET) return next();
        if (size <= 0) return std::nullopt;
        packet.resize(static_cast<std::size_t>(size));
        return **wire::PacketReader(packet).next();
    }
    template <typename Kind>
    Kind next_is() {
        const auto message = next();
        if (!message || !std::holds_alternative<Kind>(*message)) {
            ADD_FAILURE() << "another message than expected, or the end";
            return {};
        }
        return std::get<Kind>(*message);
    }
    [[nodiscard]] bool silent() const { return !becomes_readable(fd_, 0); }

    /// @return whether it could be sent
    bool send(const wire::Message& message, int passed = -1) const {
        std::vector<std::byte> packet;
        wire::append(packet, message);
        iovec part{.iov_base = packet.data(), .iov_len = packet.size()};
        msghdr whole{};
        whole.msg_iov = &part;
        whole.msg_iovlen = 1;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        if (passed >= 0) {
            whole.msg_control = control.data();
            whole.msg_controllen = control.size();
            cmsghdr* header = CMSG_FIRSTHDR(&whole);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(sizeof(int));
            std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
        }
        return ::sendmsg(fd_, &whole, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
    }

private:
    int fd_;
    std::vector<std::vector<std::byte>> packets_;
};

class ServerTest : public testing::Test {
protected:
    ServerTest() {
        std::string name = std::filesystem::temp_directory_path() / "baton-accept-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        path_ = folder_ / "workers";
        listen_as_batond();
        Variables variables{.worker_socket = path_.native(), .service = "web", .slots = "4"};
        EXPECT_EQ(read_settings(variables, settings_), "");
    }
    ~ServerTest() override {
        ::close(batond_);
        std::filesystem::remove_all(folder_);
    }

    void listen_as_batond() {
        batond_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        path_.native().copy(where.sun_path, sizeof where.sun_path - 1);
        ASSERT_EQ(::bind(batond_, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
        ASSERT_EQ(::listen(batond_, 8), 0);
    }

    FakeLink link() {
        EXPECT_TRUE(becomes_readable(batond_)) << "no worker connects";
        return FakeLink(::accept4(batond_, nullptr, nullptr, SOCK_CLOEXEC));
    }

    /// A listening socket, as a server makes one; not blocking.
    int listener() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(server_.bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
        EXPECT_EQ(server_.listen(fd, 16), 0);
        return fd;
    }

    /// Once there is something to accept, what accept() says.
    int accept(int fd, int flags = SOCK_NONBLOCK) {
        while (becomes_readable(fd)) {
            const int made = server_.accept(fd, nullptr, nullptr, flags);
            if (made >= 0 || errno != EAGAIN) return made;
        }
        ADD_FAILURE() << "nothing to accept";
        return -1;
    }
    /// Lets the library do what is due, which gives no connection.
    void tick(int fd) {
        EXPECT_TRUE(becomes_readable(fd));
        EXPECT_EQ(server_.accept(fd, nullptr, nullptr, SOCK_NONBLOCK), -1);
        EXPECT_EQ(errno, EAGAIN);
    }

    /// Begun, listening, welcomed.
    std::pair<int, FakeLink> connected() {
        EXPECT_TRUE(server_.begin(settings_));
        const int fd = listener();
        tick(fd);
        auto it = link();
        it.next_is<wire::Hello>();
        it.send(wire::Welcome{.worker = 9});
        tick(fd);
        return {fd, std::move(it)};
    }

    /// A client's connection: what the client has, and what batond has.
    static std::pair<int, int> connection() {
        const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof where;
        auto* address = reinterpret_cast<sockaddr*>(&where);
        ::bind(listening, address, size);
        ::listen(listening, 1);
        ::getsockname(listening, address, &size);
        const int client = ::socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(::connect(client, address, size), 0);
        const int front = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        ::close(listening);
        return {client, front};
    }

    static wire::Ticket ticket(std::uint64_t assignment) {
        return {.assignment = assignment, .head_bytes = 10, .client_address = "203.0.113.9:4711"};
    }
    /// Handed over and accepted.
    int handed_over(const FakeLink& it, int fd, std::uint64_t assignment) {
        const auto [client, front] = connection();
        clients_.push_back(client);
        it.send(ticket(assignment), front);
        fronts_.push_back(front);
        return accept(fd);
    }

    std::filesystem::path folder_;
    std::filesystem::path path_;
    int batond_ = -1;
    Settings settings_;
    Server server_;
    std::vector<int> clients_;
    std::vector<int> fronts_;
};

TEST_F(ServerTest, RegistersWhenItFirstLooksForAConnection) {
    settings_.worker = 17;
    ASSERT_TRUE(server_.begin(settings_));
    const int fd = listener();
    EXPECT_FALSE(becomes_readable(batond_, 0)) << "not before it does";
    tick(fd);
    auto it = link();
    const auto hello = it.next_is<wire::Hello>();
    EXPECT_EQ(hello.capabilities, wire::Hello::keeps_connections);
    EXPECT_EQ(hello.worker, 17U);
    EXPECT_EQ(hello.slots, 4U);
    EXPECT_EQ(hello.credits, 4U);
    EXPECT_EQ(hello.process_id, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(hello.service, "web");
    EXPECT_FALSE(becomes_readable(fd, 0)) << "nothing to be done before the welcome";
}

TEST_F(ServerTest, AcceptsWhatIsHandedOverAndSaysDoneWhenItIsClosed) {
    auto [fd, it] = connected();
    const auto [client, front] = connection();
    it.send(ticket(41), front);
    ASSERT_TRUE(becomes_readable(fd));
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const int got = server_.accept(fd, reinterpret_cast<sockaddr*>(&peer), &size, 0);
    ASSERT_GE(got, 0);
    EXPECT_EQ(peer.sin_port, htons(4711));
    EXPECT_EQ(size, sizeof peer);
    EXPECT_EQ(::fcntl(got, F_GETFL) & O_NONBLOCK, 0) << "as it was asked for";
    EXPECT_EQ(::fcntl(got, F_GETFD), 0);
    ::send(client, "x", 1, 0);
    char byte = 0;
    EXPECT_EQ(::recv(got, &byte, 1, 0), 1);
    EXPECT_TRUE(it.silent());
    EXPECT_EQ(server_.close(got), 0);
    const auto done = it.next_is<wire::Done>();
    EXPECT_EQ(done.assignment, 41U);
    EXPECT_EQ(done.disposition, wire::Done::close);
    EXPECT_EQ(done.credits, 1U);
    EXPECT_EQ(::fcntl(got, F_GETFD), -1);
}

TEST_F(ServerTest, AServerThatClosesByAResetResetsAlthoughBatondHasTheConnectionStill) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 5);
    ASSERT_EQ(::send(got, "half", 4, 0), 4);
    char bytes[8];
    ASSERT_EQ(::recv(clients_.back(), bytes, sizeof bytes, 0), 4);
    const linger by_reset{.l_onoff = 1, .l_linger = 0};
    server_.setsockopt(got, SOL_SOCKET, SO_LINGER, &by_reset, sizeof by_reset);
    EXPECT_EQ(server_.close(got), 0);
    EXPECT_EQ(::recv(clients_.back(), bytes, sizeof bytes, 0), -1);
    EXPECT_EQ(errno, ECONNRESET);
    const auto done = it.next_is<wire::Done>();
    EXPECT_EQ(done.disposition, wire::Done::close);
    EXPECT_EQ(done.bytes_written, 4U) << "the socket does not know any more";
}

TEST_F(ServerTest, AServerThatWaitsForItsLastBytesWhenItClosesResetsNothing) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 5);
    const linger patient{.l_onoff = 1, .l_linger = 5};
    server_.setsockopt(got, SOL_SOCKET, SO_LINGER, &patient, sizeof patient);
    EXPECT_EQ(server_.close(got), 0);
    EXPECT_EQ(it.next_is<wire::Done>().bytes_written, 0U);
    EXPECT_FALSE(becomes_readable(clients_.back(), 0)) << "its end is batond's affair";
}

TEST_F(ServerTest, FlagsAreThoseOfAccept4) {
    auto [fd, it] = connected();
    const auto [client, front] = connection();
    it.send(ticket(1), front);
    const int got = accept(fd, SOCK_NONBLOCK | SOCK_CLOEXEC);
    EXPECT_NE(::fcntl(got, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(got, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(server_.accept(fd, nullptr, nullptr, 1), -1);
    EXPECT_EQ(errno, EINVAL);
}

TEST_F(ServerTest, ABlockingAcceptWaitsThroughEverythingThatIsNoConnection) {
    ASSERT_TRUE(server_.begin(settings_));
    const int fd = listener();
    ::fcntl(fd, F_SETFL, 0);
    const pid_t batond = ::fork();
    if (batond == 0) {
        // The other side goes its way while this one waits.
        auto it = link();
        it.next_is<wire::Hello>();
        it.send(wire::Welcome{.worker = 9});
        it.send(wire::Status{});
        it.send(wire::Reinit{});
        it.send(ticket(5), connection().second);
        it.next_is<wire::Done>();
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    const int got = server_.accept(fd, nullptr, nullptr, 0);
    ASSERT_GE(got, 0);
    server_.close(got);
    int status = -1;
    ::waitpid(batond, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(ServerTest, TheListenerIsStillTheServersSocketToWhoAsks) {
    auto [fd, it] = connected();
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ASSERT_EQ(server_.getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_EQ(name.sin_family, AF_INET);
    EXPECT_NE(name.sin_port, 0);
    int value = 0;
    size = sizeof value;
    EXPECT_EQ(server_.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size), 0);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(server_.getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size), 0);
    EXPECT_EQ(value, SOCK_STREAM);
    value = 1;
    EXPECT_EQ(server_.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value), 0);
    EXPECT_EQ(server_.listen(fd, 99), 0) << "again";
    EXPECT_EQ(server_.getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size), -1);
    EXPECT_EQ(errno, ENOTCONN);
}

TEST_F(ServerTest, ClientsComeOutOfTheListenerOfTheirFamily) {
    auto [fd, it] = connected();
    sockaddr_in name{};
    socklen_t size = sizeof name;
    server_.getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
    const int other = ::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in6 where{};
    where.sin6_family = AF_INET6;
    where.sin6_addr = in6addr_loopback;
    where.sin6_port = name.sin_port;
    ASSERT_EQ(server_.bind(other, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    ASSERT_EQ(server_.listen(other, 16), 0);
    auto six = ticket(6);
    six.client_address = "[2001:db8::1]:80";
    it.send(six, connection().second);
    it.send(ticket(4), connection().second);
    EXPECT_EQ(server_.accept(fd, nullptr, nullptr, SOCK_NONBLOCK), -1);
    EXPECT_EQ(errno, EAGAIN);
    ASSERT_TRUE(becomes_readable(other));
    size = sizeof where;
    EXPECT_GE(server_.accept(other, reinterpret_cast<sockaddr*>(&where), &size, 0), 0);
    EXPECT_EQ(where.sin6_port, htons(80));
    EXPECT_EQ(server_.accept(other, nullptr, nullptr, SOCK_NONBLOCK), -1);
    EXPECT_GE(accept(fd), 0);
}

TEST_F(ServerTest, APortThatIsTakenIsBoundInName) {
    auto [fd, it] = connected();
    sockaddr_in taken{};
    socklen_t size = sizeof taken;
    server_.getsockname(fd, reinterpret_cast<sockaddr*>(&taken), &size);
    const int other = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&taken), size), 0) << "it was given up";
    ::listen(other, 1);
    const int copy = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT_EQ(server_.bind(copy, reinterpret_cast<sockaddr*>(&taken), size), 0);
    EXPECT_EQ(server_.listen(copy, 1), 0);
    sockaddr_in name{};
    server_.getsockname(copy, reinterpret_cast<sockaddr*>(&name), &size);
    EXPECT_EQ(name.sin_port, taken.sin_port);
    ::close(other);
}

TEST_F(ServerTest, OnlyTheListenerThatIsMeantIsBatons) {
    settings_.port = 1;
    ASSERT_TRUE(server_.begin(settings_));
    const int fd = listener();
    EXPECT_FALSE(becomes_readable(fd, 0));
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&name), size), 0);
    const int got = accept(fd);
    EXPECT_GE(got, 0) << "it listens as it always did";
    EXPECT_EQ(server_.close(got), 0);
    EXPECT_FALSE(becomes_readable(batond_, 0));
}

TEST_F(ServerTest, AStreamThatBatonCarriesLooksLikeATcpConnection) {
    auto [fd, it] = connected();
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    auto bridged = ticket(7);
    bridged.flags = wire::Ticket::bridged;
    it.send(bridged, ends[1]);
    const int got = accept(fd);
    sockaddr_in name{};
    socklen_t size = sizeof name;
    EXPECT_EQ(server_.getpeername(got, reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_EQ(name.sin_port, htons(4711));
    EXPECT_EQ(server_.getsockname(got, reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_EQ(name.sin_family, AF_INET);
    const int on = 1;
    EXPECT_EQ(server_.setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    server_.close(got);
    EXPECT_EQ(it.next_is<wire::Done>().assignment, 7U);
}

TEST_F(ServerTest, AConnectionWithASecondDescriptorIsReleasedAndItsSlotFreedByTheFirst) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 3);
    const int second = ::dup(got);
    server_.duplicated(got, second);
    const auto done = it.next_is<wire::Done>();
    EXPECT_EQ(done.disposition, wire::Done::released);
    EXPECT_EQ(done.credits, 0U);
    server_.close(second);
    EXPECT_TRUE(it.silent());
    server_.close(got);
    EXPECT_EQ(it.next_is<wire::Credit>().count, 1U);
}

TEST_F(ServerTest, ForkingReleasesWhatIsOpenAndTheChildEndsNothingOfIts) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 3);
    server_.before_fork();
    const pid_t child = ::fork();
    if (child == 0) {
        server_.forked();
        server_.close(got);
        ::_exit(becomes_readable(fd, 0) ? 0 : 1);  // to register by itself
    }
    server_.after_fork();
    EXPECT_EQ(it.next_is<wire::Done>().disposition, wire::Done::released);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(it.silent());
    server_.close(got);
    EXPECT_EQ(it.next_is<wire::Credit>().count, 1U);
    // What comes now is this process's alone again.
    const int next = handed_over(it, fd, 4);
    server_.close(next);
    EXPECT_EQ(it.next_is<wire::Done>().disposition, wire::Done::close);
}

TEST_F(ServerTest, AForkedChildRegistersByItselfOnALinkOfItsOwn) {
    settings_.worker = 17;
    auto [fd, it] = connected();
    const pid_t child = ::fork();
    if (child == 0) {
        server_.forked();
        const int got = accept(fd);  // registers, is welcomed, and so on
        server_.close(got);
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    auto second = link();
    const auto hello = second.next_is<wire::Hello>();
    EXPECT_EQ(hello.worker, 0U) << "the program's id has its parent";
    EXPECT_EQ(hello.process_id, static_cast<std::uint32_t>(child));
    second.send(wire::Welcome{.worker = 18});
    second.send(ticket(6), connection().second);
    EXPECT_EQ(second.next_is<wire::Done>().assignment, 6U);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(second.next()) << "the child's link ends with it";
    EXPECT_TRUE(it.silent());
}

TEST_F(ServerTest, ChildrenThatRunInItsMemoryEndNothing) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 3);
    const pid_t child = ::vfork();
    if (child == 0) {
        server_.close(got);
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(it.silent());
    server_.close(got);
    EXPECT_EQ(it.next_is<wire::Done>().assignment, 3U);
}

TEST_F(ServerTest, FindsBatondAgainAndServesOnMeanwhile) {
    auto [fd, it] = connected();
    const int first = handed_over(it, fd, 1);
    const int second = handed_over(it, fd, 2);
    it.close();
    tick(fd);
    server_.close(first);  // free in the next HELLO
    EXPECT_EQ(server_.accept(fd, nullptr, nullptr, SOCK_NONBLOCK), -1);
    tick(fd);  // the timer
    auto again = link();
    const auto hello = again.next_is<wire::Hello>();
    EXPECT_EQ(hello.worker, 9U) << "as it was welcomed before";
    EXPECT_EQ(hello.credits, 3U);
    again.send(wire::Welcome{.worker = 9});
    tick(fd);
    server_.close(second);
    EXPECT_EQ(again.next_is<wire::Credit>().count, 1U) << "this batond knows nothing of it";
}

TEST_F(ServerTest, LooksForABatondThatIsNotThereYet) {
    ::close(batond_);
    std::filesystem::remove(path_);
    ASSERT_TRUE(server_.begin(settings_));
    const int fd = listener();
    tick(fd);
    listen_as_batond();
    tick(fd);
    EXPECT_EQ(link().next_is<wire::Hello>().service, "web");
}

TEST_F(ServerTest, RegistersWithoutAnIdThatIsRefused) {
    settings_.worker = 17;
    ASSERT_TRUE(server_.begin(settings_));
    const int fd = listener();
    tick(fd);
    auto it = link();
    EXPECT_EQ(it.next_is<wire::Hello>().worker, 17U);
    it.send(wire::Refused{"worker 17 has a link already"});
    tick(fd);
    EXPECT_EQ(link().next_is<wire::Hello>().worker, 0U);
}

TEST_F(ServerTest, DrainingFinishesWhatIsOpenAndWhatHasCrossed) {
    settings_.worker = 17;  // else it would end this process
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 1);
    it.send(wire::Drain{});
    tick(fd);
    it.send(ticket(2), connection().second);
    const int crossed = accept(fd);
    server_.close(got);
    EXPECT_EQ(it.next_is<wire::Done>().assignment, 1U);
    EXPECT_TRUE(it.silent()) << "one is open still";
    server_.close(crossed);
    EXPECT_EQ(it.next_is<wire::Done>().credits, 0U);
    it.next_is<wire::Bye>();
    EXPECT_FALSE(it.next()) << "the link ends";
    EXPECT_EQ(server_.accept(fd, nullptr, nullptr, SOCK_NONBLOCK), -1);
    EXPECT_EQ(errno, EAGAIN);
}

TEST_F(ServerTest, AServerThatListensNoMoreLeavesAndDeclinesWhatHasCrossed) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 1);
    it.send(ticket(2), connection().second);
    server_.close(fd);
    it.next_is<wire::Bye>();
    EXPECT_EQ(it.next_is<wire::Decline>().assignment, 2U);
    EXPECT_FALSE(it.send(ticket(3))) << "batond is told at once, and gives it to another";
    server_.close(got);
    EXPECT_EQ(it.next_is<wire::Done>().assignment, 1U);
    EXPECT_FALSE(it.next());
}

TEST_F(ServerTest, WithoutAFreeDescriptorItDeclinesAndAnnouncesTheSlotLater) {
    auto [fd, it] = connected();
    const auto [client, front] = connection();
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const int highest = ::dup(front);
    const rlimit none{.rlim_cur = static_cast<rlim_t>(highest), .rlim_max = before.rlim_max};
    ::close(highest);
    ::setrlimit(RLIMIT_NOFILE, &none);
    it.send(ticket(8), front);
    ASSERT_TRUE(becomes_readable(fd));
    EXPECT_EQ(server_.accept(fd, nullptr, nullptr, SOCK_NONBLOCK), -1);
    EXPECT_EQ(errno, EMFILE);
    ::setrlimit(RLIMIT_NOFILE, &before);
    const auto decline = it.next_is<wire::Decline>();
    EXPECT_EQ(decline.assignment, 8U);
    EXPECT_EQ(decline.reason, wire::Decline::no_descriptor);
    tick(fd);
    EXPECT_EQ(it.next_is<wire::Credit>().count, 1U);
}

TEST_F(ServerTest, AClosedConnectionIsOutOfTheServersEpollAlthoughBatondHasItStill) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 1);
    const int epoll = ::epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = 77;
    ASSERT_EQ(server_.epoll_ctl(epoll, EPOLL_CTL_ADD, got, &event), 0);
    server_.close(got);
    ::send(clients_.back(), "x", 1, 0);
    ASSERT_TRUE(becomes_readable(fronts_.back()));
    EXPECT_EQ(::epoll_wait(epoll, &event, 1, 0), 0);
    ::close(epoll);
}

TEST_F(ServerTest, AListenerMayBeRegisteredBeforeItListensAndExclusively) {
    ASSERT_TRUE(server_.begin(settings_));
    const int epoll = ::epoll_create1(0);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    event.data.u64 = 77;
    ASSERT_EQ(server_.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    ASSERT_EQ(server_.listen(fd, 1), 0) << "bound by the kernel";
    ASSERT_EQ(::epoll_wait(epoll, &event, 1, patience_ms), 1);
    EXPECT_EQ(event.data.u64, 77U);
    const int other = ::epoll_create1(0);
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    EXPECT_EQ(server_.epoll_ctl(other, EPOLL_CTL_ADD, fd, &event), 0);
    ::close(epoll);
    ::close(other);
}

TEST_F(ServerTest, ClosingWholeRangesEndsConnectionsAndLeavesWhatIsHidden) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 1);
    const auto number = static_cast<unsigned>(got);
    EXPECT_EQ(server_.close_range(number, number, 0), 0);
    EXPECT_EQ(it.next_is<wire::Done>().assignment, 1U);
    // What a daemon does, but for this test's own descriptors.
    EXPECT_EQ(server_.close_range(400, ~0U, 0), 0);
    const auto [client, front] = connection();
    it.send(ticket(2), front);
    EXPECT_GE(accept(fd), 0);
}

TEST_F(ServerTest, AShutListenerWakesWhoWaitsAndAcceptsNoMore) {
    auto [fd, it] = connected();
    EXPECT_FALSE(becomes_readable(fd, 0));
    EXPECT_EQ(server_.shutdown(fd, SHUT_RDWR), 0);
    EXPECT_TRUE(becomes_readable(fd));
    EXPECT_EQ(server_.accept(fd, nullptr, nullptr, 0), -1);
    EXPECT_EQ(errno, EINVAL);
}

TEST_F(ServerTest, AnOrderlyExitEndsWhatIsOpen) {
    auto [fd, it] = connected();
    handed_over(it, fd, 1);
    handed_over(it, fd, 2);
    server_.exiting();
    EXPECT_EQ(it.next_is<wire::Done>().disposition, wire::Done::close);
    EXPECT_EQ(it.next_is<wire::Done>().disposition, wire::Done::close);
    it.next_is<wire::Bye>();
}

TEST_F(ServerTest, AnOrderlyExitResetsWhatWasToEndByAReset) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 1);
    const linger by_reset{.l_onoff = 1, .l_linger = 0};
    server_.setsockopt(got, SOL_SOCKET, SO_LINGER, &by_reset, sizeof by_reset);
    ASSERT_EQ(::send(got, "x", 1, 0), 1);
    char byte = 0;
    ASSERT_EQ(::recv(clients_.back(), &byte, 1, 0), 1);
    server_.exiting();
    EXPECT_EQ(::recv(clients_.back(), &byte, 1, 0), -1);
    EXPECT_EQ(errno, ECONNRESET);
    EXPECT_EQ(it.next_is<wire::Done>().bytes_written, 1U);
}

TEST_F(ServerTest, AConnectionThatIsReplacedIsClosed) {
    auto [fd, it] = connected();
    const int got = handed_over(it, fd, 1);
    const int other = ::open("/dev/null", O_RDONLY);
    EXPECT_EQ(server_.dup2(other, got), got);
    EXPECT_EQ(it.next_is<wire::Done>().assignment, 1U);
    EXPECT_EQ(server_.close(got), 0);
    EXPECT_TRUE(it.silent()) << "it was something else by then";
    ::close(other);
}

}  // namespace
}  // namespace baton::accept
