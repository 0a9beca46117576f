#include "bench/worker/by_itself.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

#include "bench/worker/answers.hpp"

namespace baton::bench {
namespace {

/// `Date: ...` and what else libbaton writes, made anew once a second: what differs from the same
/// worker under Baton is to be the way that requests come, and nothing else.
std::string_view head_of(int status, std::size_t size, bool keep, std::string_view took) {
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
    if (!took.empty()) head.append("\r\n").append(took_field).append(": ").append(took);
    head.append("\r\nContent-Length: ").append(std::to_string(size));
    head.append(keep ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
    return head;
}

int listen_on(std::string_view where) {
    const std::size_t colon = where.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const std::string host(where.substr(0, colon));
    const int port = colon == std::string_view::npos
                         ? 0
                         : std::atoi(std::string(where.substr(colon + 1)).c_str());
    if (port <= 0 || port > 65535 || ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
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

}  // namespace

/// One connection: requests in, one answer at a time out.
class ByItself::Connection {
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
        const std::size_t begin = head.find(' ') + 1;
        const std::string_view target = head.substr(begin, head.find(' ', begin) - begin);
        const std::size_t mark = std::min(target.find('?'), target.size());
        const auto asked =
            asked_by(target.substr(0, mark), target.substr(std::min(mark + 1, target.size())));
        keep_ = head.find("\r\nConnection: close\r\n") == std::string_view::npos &&
                head.find("\r\nconnection: close\r\n") == std::string_view::npos;
        std::string took;
        if (asked && asked->work) {
            const Work work;
            work.finish(*asked->work);
            took = work.took();
        }
        body_ = asked ? asked->body : no_such_body;
        out_ = head_of(asked ? 200 : 404, body_.size(), keep_, took);
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

ByItself::ByItself(std::string_view where) : listener_(listen_on(where)) {
    epoll_.add(listener_, EPOLLIN);
}

ByItself::~ByItself() { ::close(listener_); }

void ByItself::run() {
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

void ByItself::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections_.emplace(fd, std::make_unique<Connection>(fd));
        epoll_.add(fd, EPOLLIN);
    }
}

}  // namespace baton::bench
