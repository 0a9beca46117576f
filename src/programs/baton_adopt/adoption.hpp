#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "accept/address.hpp"
#include "accept/family.hpp"
#include "accept/link.hpp"
#include "accept/settings.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/call_notices.hpp"
#include "io/os/fd.hpp"
#include "programs/baton_adopt/numbers.hpp"
#include "programs/baton_adopt/program.hpp"

namespace baton::adopt {

/// A program under adoption: one worker, whatever processes it has. Answers those of its system
/// calls that concern its listener and its connections.
///
/// Its listening socket becomes one end of a socket pair, in which a byte lies while a connection
/// waits: so the program's own way of waiting works. A connection is given as the result of
/// accept(), and batond then gives up its own descriptor (`released`), since nobody here sees who
/// else the program shares it with; its slot is free when the process that accepted it closes it,
/// or ends. Belongs to its loop.
class Adoption final : private accept::Watchers {
public:
    /// @param over  the program has ended: no process of it is left
    Adoption(loop::EventLoop& loop, const accept::Settings& settings, const Numbers& numbers,
             os::UniqueFd filter, std::function<void()> over);
    ~Adoption();
    Adoption(const Adoption&) = delete;
    Adoption& operator=(const Adoption&) = delete;

    [[nodiscard]] bool begin();

private:
    /// What stands for one listening socket of the program's.
    struct Listener {
        os::UniqueFd programs_end;  ///< a duplicate: its flags are the program's
        os::UniqueFd here;
        std::uint64_t identity = 0;  ///< of the program's end
        accept::Address address;
        bool readable = false;
    };
    struct Waiting {
        os::HeldCall call;
        int process = 0;
        const Listener* listener = nullptr;
    };
    struct Arrival {
        accept::Arrival ticket;
        os::UniqueFd fd;
    };

    // adoption.cpp: batond's side
    void add(int fd) noexcept override;
    void remove(int fd) noexcept override;
    void look_at_link();
    void arm_link();
    void serve();
    [[nodiscard]] bool suits(const Listener& listener, const Arrival& arrival) const;
    [[nodiscard]] std::deque<Arrival>::iterator next_for(const Listener& listener);
    [[nodiscard]] bool give(const Waiting& waiting, Arrival& arrival);
    void closed(const Connection& connection);
    void show_readiness();
    [[nodiscard]] bool prepare(const os::HeldCall& call, Process& process);

    // calls.cpp: the program's side
    void answer_calls();
    void answer(const os::HeldCall& call);
    [[nodiscard]] bool on_bind(const os::HeldCall& call, Process& process);
    [[nodiscard]] bool on_listen(const os::HeldCall& call, Process& process);
    [[nodiscard]] bool on_accept(const os::HeldCall& call, Process& process);
    [[nodiscard]] bool on_name(const os::HeldCall& call, Process& process);
    [[nodiscard]] bool on_close(const os::HeldCall& call, Process& process);
    [[nodiscard]] bool on_replaced(const os::HeldCall& call, Process& process);
    [[nodiscard]] bool take_over(const os::HeldCall& call, Process& process,
                                 const os::UniqueFd& socket, const accept::Address& address);
    [[nodiscard]] bool write_address(const os::HeldCall& call, Process& process,
                                     const accept::Address& address);
    [[nodiscard]] Listener* listener(const Process& process, int number);
    [[nodiscard]] Process* process_of(const os::HeldCall& call, bool may_be_new);
    [[nodiscard]] bool is_meant(std::uint16_t port) const { return port_ == 0 || port == port_; }

    loop::EventLoop& loop_;
    accept::Settings settings_;
    Numbers numbers_;
    os::CallNotices notices_;
    std::function<void()> over_;
    accept::Family family_;
    accept::Link link_;
    os::UniqueFd nothing_;  ///< what keeps numbers
    std::uint16_t port_;    ///< of the listener that is meant; 0: none yet
    std::list<Listener> listeners_;
    std::map<std::uint64_t, accept::Address> bound_;  ///< in name only, by the socket's identity
    std::map<int, std::unique_ptr<Process>> processes_;
    std::deque<Arrival> arrivals_;  ///< at most as many as there are slots
    std::deque<Waiting> waiting_;   ///< calls of accept() that wait for one
    loop::Watch notices_watch_;
    loop::Watch timer_watch_;
    std::unique_ptr<loop::Watch> link_watch_;
    bool timer_watched_ = false;
    bool complained_ = false;
};

}  // namespace baton::adopt
