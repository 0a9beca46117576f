#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "accept/address.hpp"
#include "accept/family.hpp"
#include "accept/link.hpp"
#include "accept/settings.hpp"
#include "accept/table.hpp"

namespace baton::accept {

/// The server that this library was loaded into, as far as it has to be deceived: what each of the
/// socket calls does that a preloaded name stands before. All have the form and the errors of the
/// calls themselves; descriptors that are no affair of Baton's go to the C library.
///
/// A listener that is Baton's is an epoll instance under the number of the server's own listening
/// socket, so that it is readable whenever accept() has something to do, whatever link and timer
/// are behind it.
///
/// One object per process; a forked child's is told so. Thread-safety: as the calls themselves.
class Server final : private Watchers {
public:
    Server() noexcept : link_(settings_, family_, *this) {}
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() = default;

    /// @return false: no memory
    [[nodiscard]] bool begin(const Settings& settings) noexcept;

    // server_listening.cpp
    int bind(int fd, const sockaddr* address, socklen_t size) noexcept;
    int listen(int fd, int backlog) noexcept;
    int accept(int fd, sockaddr* address, socklen_t* size, int flags) noexcept;
    int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept;
    int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept;
    int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept;
    int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept;
    int shutdown(int fd, int how) noexcept;
    int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept;

    // server_closing.cpp
    int close(int fd) noexcept;
    int close_range(unsigned first, unsigned last, int flags) noexcept;
    int dup2(int fd, int other) noexcept;
    int dup3(int fd, int other, int flags) noexcept;
    /// Somebody else closes this descriptor: fclose(3).
    /// @param closes  what does it
    int close_by(int fd, int (*closes)(void*), void* argument) noexcept;
    /// There is a second descriptor of `fd` now.
    void duplicated(int fd, int duplicate) noexcept;
    /// It is about to be passed to another process.
    void shared(int fd) noexcept;
    /// Whether a number is this library's own, and nothing to the server.
    [[nodiscard]] bool hides(int fd) noexcept;

    void before_fork() noexcept;
    void after_fork() noexcept;
    void forked() noexcept;
    /// exit(3).
    void exiting() noexcept;

private:
    /// A listener, by the number that the server has for it.
    struct Listener {
        std::atomic<int> fd{-1};
        int shadow = -1;  ///< socket that is asked and told about options in the listener's stead
        std::atomic<bool> shut{false};
        Address address;
    };
    static constexpr std::size_t listener_limit = 32;
    static constexpr std::uint32_t fork_under_way = 1;
    static constexpr std::uint32_t fork_begun = 1U << 16U;

    /// What a connection leaves behind when its number is taken away.
    struct Closing {
        Mark mark;
        std::uint64_t assignment = 0;
        std::uint64_t written = 0;  ///< before it was reset; 0: the socket can still be asked
    };

    void add(int fd) noexcept override;
    void remove(int fd) noexcept override;

    // server_listening.cpp
    [[nodiscard]] bool is_meant(std::uint16_t port) const noexcept;
    void look_at_families() noexcept;
    [[nodiscard]] bool is_for_another(const Listener& listener) noexcept;
    [[nodiscard]] Listener* listener(int fd) noexcept;
    [[nodiscard]] int take_over(int fd, const Address& address) noexcept;
    [[nodiscard]] bool put_listener(int fd, Listener& listener, bool non_blocking,
                                    bool close_on_exec) noexcept;
    [[nodiscard]] int take(const Arrival& arrival, const Listener& listener, sockaddr* address,
                           socklen_t* size, int flags) noexcept;
    void register_again(int fd) noexcept;
    void note_registration(int epoll, int operation, int fd, const epoll_event* event) noexcept;
    [[nodiscard]] Address local_address(int fd) noexcept;

    // server_closing.cpp
    [[nodiscard]] bool is_ours(int fd) noexcept;
    [[nodiscard]] Closing begin_closing(int fd) noexcept;
    void end_closing(const Closing& closing) noexcept;
    void drop_listener(int fd) noexcept;
    void release(int fd, Mark mark) noexcept;
    void release_all() noexcept;
    void notice_fork() noexcept;

    Settings settings_;
    Family family_;
    Table table_;
    Link link_;
    std::array<Listener, listener_limit> listeners_;
    std::atomic<std::uint16_t> port_{0};      ///< of the listener that is meant; 0: none yet
    std::atomic<bool> both_families_{false};  ///< there are listeners for IPv4 and for IPv6
    std::atomic<int> process_{0};
    /// Those that have begun, and in the lower half those under way: what is accepted meanwhile may
    /// have been inherited.
    std::atomic<std::uint32_t> forks_{0};
    std::atomic<std::uint8_t>* guard_ = nullptr;  ///< zero in a forked child
};

}  // namespace baton::accept
