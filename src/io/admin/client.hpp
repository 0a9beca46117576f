#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/head.hpp"
#include "io/admin/pages.hpp"
#include "io/admin/server.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"

namespace baton::admin {

/// One connection to the admin listener: reads a head, answers it, reads the next one.
class Client {
public:
    Client(Server& server, os::UniqueFd fd);

    /// Reads the first request.
    void begin();
    /// Answers with a refusal, whatever was read, and ends.
    void refuse(Errc reason);

private:
    enum class State : std::uint8_t {
        reading,    ///< a head; in_ holds what has come of it
        sending,    ///< out_, from sent_ on
        lingering,  ///< our end is closed; what still comes is read away
        over,       ///< no descriptor
    };

    void on_ready();
    void on_timer();
    void read();
    /// Takes the next request from in_. True: the state has changed.
    bool take_request();
    void answer(const http::Head& head);
    void send_page(const http::Head& head, const Page& page);
    void begin_sending(std::string bytes, bool keep_alive);
    void send();
    void next_request();
    void linger();
    void read_away();
    void wait_for(loop::Interest interest);
    void close();

    Server& server_;
    os::UniqueFd fd_;
    loop::Watch watch_;
    loop::Timer timer_;
    http::HeadParser parser_;
    std::string in_;
    std::string out_;
    std::size_t sent_ = 0;
    std::size_t read_away_bytes_ = 0;
    State state_ = State::reading;
    bool keep_alive_ = false;
};

}  // namespace baton::admin
