// The worker of the benchmark: bodies from memory, as cheaply as a program can give them.
//
//     baton-bench-worker                        under Baton, with libbaton; slots from BATON_SLOTS
//     baton-bench-worker --listen HOST:PORT     by itself or behind a proxy: HTTP/1.1, keep-alive
//
// GET /128, /16k, /256k, /4m: that many bytes. One thread, one epoll, no allocation per request.
// The same bodies and the same fields of the head either way, so that what differs is the way they
// come.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "baton/baton.hpp"

namespace {

constexpr std::size_t largest_body = 4 * 1024 * 1024;
constexpr const char* content_type = "application/octet-stream";

/// Every body is the beginning of this one: each byte can be checked.
const std::string& bytes() {
    static const std::string all = [] {
        std::string made(largest_body, '\0');
        std::uint32_t state = 1;
        for (char& byte : made) {
            state = state * 1664525 + 1013904223;
            byte = static_cast<char>(state >> 24);
        }
        return made;
    }();
    return all;
}

/// The body that a path asks for: a number, with k or m behind it.
std::optional<std::string_view> body_of(std::string_view path) {
    std::size_t size = 0;
    const char* const end = path.data() + path.size();
    if (!path.starts_with('/')) return std::nullopt;
    const auto [rest, error] = std::from_chars(path.data() + 1, end, size);
    if (error != std::errc{} || size > largest_body) return std::nullopt;
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit == "k") {
        size *= 1024;
    } else if (unit == "m") {
        size *= std::size_t{1024} * 1024;
    } else if (!unit.empty()) {
        return std::nullopt;
    }
    if (size > largest_body) return std::nullopt;
    return std::string_view(bytes()).substr(0, size);
}

void check(bool fine, const char* what) {
    if (!fine) throw std::system_error(errno, std::generic_category(), what);
}

class Epoll {
public:
    Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) { check(fd_ >= 0, "epoll_create1"); }
    Epoll(const Epoll&) = delete;
    Epoll& operator=(const Epoll&) = delete;
    ~Epoll() { ::close(fd_); }

    void add(int fd, std::uint32_t events) const { control(EPOLL_CTL_ADD, fd, events); }
    void change(int fd, std::uint32_t events) const { control(EPOLL_CTL_MOD, fd, events); }
    void remove(int fd) const { ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

    /// Calls `ready(fd)` for each descriptor that is.
    template <typename Ready>
    void wait(Ready ready) const {
        std::array<epoll_event, 64> events;
        const int count = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), -1);
        check(count >= 0 || errno == EINTR, "epoll_wait");
        for (int index = 0; index < count; ++index) {
            ready(events.at(static_cast<std::size_t>(index)).data.fd);
        }
    }

private:
    void control(int operation, int fd, std::uint32_t events) const {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        check(::epoll_ctl(fd_, operation, fd, &event) == 0, "epoll_ctl");
    }

    int fd_;
};

// ---- Under Baton -------------------------------------------------------------------------------

/// Requests whose client is slower than memory wait in an epoll; as long as there are none, the
/// only system calls are the library's.
class UnderBaton {
public:
    void run() {
        epoll_.add(worker_.fd(), EPOLLIN);
        for (;;) {
            baton::Request request;
            const auto accepted = worker_.accept(request, unsent_.empty() ? -1 : 0);
            if (accepted) {
                begin(std::move(request));
            } else if (accepted.code() == BATON_E_AGAIN) {
                epoll_.wait([this](int fd) { go_on(fd); });
            } else if (accepted.code() != BATON_E_INTERRUPTED) {
                break;
            }
        }
        while (!unsent_.empty()) epoll_.wait([this](int fd) { go_on(fd); });
    }

private:
    static baton::WorkerOptions options() {
        baton::WorkerOptions options;
        options.request_timeout = std::chrono::milliseconds(BATON_NO_WAIT);
        return options;
    }

    void begin(baton::Request request) {
        const auto body = body_of(request.path());
        const auto sent = body ? request.respond(200, content_type, *body)
                               : request.respond(404, "text/plain", "no such body\n");
        if (sent.code() != BATON_E_AGAIN) {
            request.done();
            return;
        }
        const int fd = request.fd();
        epoll_.add(fd, EPOLLOUT);
        unsent_.emplace(fd, std::move(request));
    }

    void go_on(int fd) {
        const auto found = unsent_.find(fd);
        if (found == unsent_.end()) return;  // the worker's own: accept() looks
        if (found->second.respond_flush().code() == BATON_E_AGAIN) return;
        // batond holds the connection, too, so closing it would not end its registration here.
        epoll_.remove(fd);
        found->second.done();
        unsent_.erase(found);
    }

    Epoll epoll_;
    baton::Worker worker_{options()};
    std::unordered_map<int, baton::Request> unsent_;
};

// ---- By itself ---------------------------------------------------------------------------------

/// `Date: ...` and what else libbaton writes, made anew once a second.
std::string_view head_of(int status, std::size_t size, bool keep) {
    static std::string head;
    static std::array<char, 32> date{};
    static std::time_t made = 0;
    if (const std::time_t now = std::time(nullptr); now != made) {
        made = now;
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    }
    head = status == 200 ? "HTTP/1.1 200 OK\r\nDate: " : "HTTP/1.1 404 Not Found\r\nDate: ";
    head.append(date.data()).append("\r\nContent-Type: ").append(content_type);
    head.append("\r\nContent-Length: ").append(std::to_string(size));
    head.append(keep ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
    return head;
}

/// One connection: requests in, one answer at a time out.
class Connection {
public:
    explicit Connection(int fd) : fd_(fd) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(fd_); }

    /// @return false: it is over
    bool go_on(const Epoll& epoll) {
        for (;;) {
            if (!send()) return false;
            if (blocked_ != !unsent().empty()) {
                blocked_ = !blocked_;
                epoll.change(fd_, blocked_ ? EPOLLOUT : EPOLLIN);
            }
            if (blocked_) return true;
            if (!keep_) return false;
            if (answer_next()) continue;
            const int got = receive();
            if (got <= 0) return got < 0;
        }
    }

private:
    [[nodiscard]] std::string_view unsent() const { return head_.empty() ? body_ : head_; }

    /// @return 1: bytes have come; -1: none yet; 0: the end
    int receive() {
        if (filled_ == in_.size()) return 0;
        const auto got = ::recv(fd_, in_.data() + filled_, in_.size() - filled_, MSG_DONTWAIT);
        if (got < 0) return errno == EAGAIN || errno == EINTR ? -1 : 0;
        filled_ += static_cast<std::size_t>(got);
        return got > 0 ? 1 : 0;
    }

    /// Composes the answer to the first complete request; the load sends nothing but such GETs.
    bool answer_next() {
        const std::string_view in(in_.data(), filled_);
        const std::size_t end = in.find("\r\n\r\n");
        if (end == std::string_view::npos) return false;
        const std::string_view head = in.substr(0, end + 2);
        const std::size_t path = head.find(' ') + 1;
        const auto body = body_of(head.substr(path, head.find(' ', path) - path));
        keep_ = head.find("\r\nConnection: close\r\n") == std::string_view::npos &&
                head.find("\r\nconnection: close\r\n") == std::string_view::npos;
        body_ = body.value_or("no such body\n");
        out_ = head_of(body ? 200 : 404, body_.size(), keep_);
        head_ = out_;
        filled_ -= end + 4;
        std::memmove(in_.data(), in_.data() + end + 4, filled_);
        return true;
    }

    /// @return false: the client is gone
    bool send() {
        while (!unsent().empty()) {
            std::array<iovec, 2> parts{iovec{const_cast<char*>(head_.data()), head_.size()},
                                       iovec{const_cast<char*>(body_.data()), body_.size()}};
            msghdr message{};
            message.msg_iov = parts.data();
            message.msg_iovlen = parts.size();
            const auto sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0) return errno == EAGAIN || errno == EINTR;
            const auto count = static_cast<std::size_t>(sent);
            const std::size_t of_head = std::min(count, head_.size());
            head_.remove_prefix(of_head);
            body_.remove_prefix(count - of_head);
        }
        return true;
    }

    int fd_;
    bool keep_ = true;
    bool blocked_ = false;
    std::array<char, 16384> in_;
    std::size_t filled_ = 0;
    std::string out_;
    std::string_view head_;
    std::string_view body_;
};

class ByItself {
public:
    explicit ByItself(std::string_view where) : listener_(listen_on(where)) {
        epoll_.add(listener_, EPOLLIN);
    }
    ByItself(const ByItself&) = delete;
    ByItself& operator=(const ByItself&) = delete;
    ~ByItself() { ::close(listener_); }

    [[noreturn]] void run() {
        for (;;) {
            epoll_.wait([this](int fd) {
                if (fd == listener_) return accept_all();
                const auto found = connections_.find(fd);
                if (found != connections_.end() && !found->second->go_on(epoll_)) {
                    connections_.erase(found);
                }
            });
        }
    }

private:
    static int listen_on(std::string_view where) {
        const std::size_t colon = where.rfind(':');
        sockaddr_in address{};
        address.sin_family = AF_INET;
        const std::string host(where.substr(0, colon));
        const int port = colon == std::string_view::npos
                             ? 0
                             : std::atoi(std::string(where.substr(colon + 1)).c_str());
        if (port <= 0 || port > 65535 ||
            ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
            throw std::invalid_argument("--listen wants an IPv4 address and a port");
        }
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        check(fd >= 0, "socket");
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        check(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
        check(::listen(fd, 4096) == 0, "listen");
        return fd;
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd < 0) return;
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            connections_.emplace(fd, std::make_unique<Connection>(fd));
            epoll_.add(fd, EPOLLIN);
        }
    }

    Epoll epoll_;
    int listener_;
    std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

}  // namespace

int main(int argc, char** argv) {
    try {
        bytes();  // before the first request, not at it
        if (argc == 3 && std::string_view(argv[1]) == "--listen") ByItself(argv[2]).run();
        if (argc != 1)
            throw std::invalid_argument("usage: baton-bench-worker [--listen HOST:PORT]");
        UnderBaton().run();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "baton-bench-worker: " << error.what() << '\n';
        return 1;
    }
}
