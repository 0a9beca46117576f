#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/time.hpp"
#include "core/http/head.hpp"
#include "io/admin/host_names.hpp"
#include "io/admin/pages.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::admin {

class Client;

struct ServerOptions {
    http::HeadLimits head{.head_bytes = 8 * 1024, .target_bytes = 2 * 1024, .fields = 64};
    Duration head_timeout = std::chrono::seconds(10);       ///< connection to last byte of the head
    Duration keepalive_timeout = std::chrono::seconds(60);  ///< between two requests
    Duration send_timeout = std::chrono::seconds(20);       ///< without the peer taking a byte
    std::size_t connection_limit = 64;                      ///< above it: 503 at once
    std::size_t page_limit_bytes = std::size_t{32} * 1024 * 1024;  ///< a larger page is a 500
    HostNames hosts{};
};

/// A small HTTP/1.1 server for the pages of one daemon, on one loop.
///
/// GET and HEAD, keep-alive, pipelining one by one; requests with a body are refused. Every
/// connection holds at most one head and one page. Belongs to its loop's thread.
class Server {
public:
    /// Both are borrowed for the server's life.
    Server(loop::EventLoop& loop, AdminPages& pages, ServerOptions options = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Serves this listening socket from the loop's next turn on.
    /// @param address  as local_address() gives it: its name for remove_listener()
    void add_listener(os::UniqueFd fd, const os::Address& address);
    /// Connections that came through it go on.
    void remove_listener(const os::Address& address);
    [[nodiscard]] std::vector<os::Address> addresses() const;

    [[nodiscard]] std::size_t connections() const noexcept { return clients_.size(); }

private:
    friend class Client;
    struct Listener;

    void admit(os::UniqueFd fd);
    /// The client must not be touched any more by its caller, but lives until the loop's next turn.
    void remove(Client& client);

    loop::EventLoop& loop_;
    AdminPages& pages_;
    ServerOptions options_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unordered_map<const Client*, std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Client>> closed_;  // emptied by bury_
    loop::Timer bury_;
};

}  // namespace baton::admin
