#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "accept/address.hpp"
#include "core/base/error.hpp"
#include "io/os/call_notices.hpp"
#include "io/os/fd.hpp"
#include "io/os/foreign_process.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/socket.hpp"
#include "programs/baton_adopt/adoption.hpp"

// What the program asks. Each handler has either answered the call, or says false: the kernel
// carries it out, as if nobody had looked.
//
// What is read of a process by its number is only true if the call still waits afterwards.

namespace baton::adopt {
namespace {

accept::Address local_address(const os::UniqueFd& socket) noexcept {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    if (::getsockname(socket.get(), address, &size) != 0) return {};
    return accept::address_from(address, size);
}

/// Calls per report of readiness; then the link has its turn.
constexpr int calls_per_turn = 64;
/// Sockets that are bound in name and not yet listened on.
constexpr std::size_t bound_limit = 64;
/// From here on waiting calls are looked through for those that have been given up.
constexpr std::size_t waiting_limit = 1024;

}  // namespace

void Adoption::answer_calls() {
    for (int count = 0; count < calls_per_turn; ++count) {
        const auto call = notices_.next();
        if (call) {
            answer(*call);
        } else if (call.error().code == Errc::would_block) {
            break;
        } else {
            notices_watch_.forget();
            return over_();
        }
    }
    serve();
    if (!notices_watch_.arm(loop::Interest::read)) over_();
}

void Adoption::answer(const os::HeldCall& call) {
    using enum os::Call;
    const bool may_be_new =
        call.call == bind || call.call == listen || call.call == accept || call.call == accept4;
    Process* process = process_of(call, may_be_new);
    bool answered = false;
    if (process != nullptr) {
        switch (call.call) {
            case bind: answered = on_bind(call, *process); break;
            case listen: answered = on_listen(call, *process); break;
            case accept:
            case accept4: answered = on_accept(call, *process); break;
            case getsockname:
            case getpeername:
            case setsockopt: answered = on_name(call, *process); break;
            case close: answered = on_close(call, *process); break;
            case close_range:
            case dup2:
            case dup3: answered = on_replaced(call, *process); break;
            case other: break;
        }
    }
    // It may have been killed meanwhile: then there is nobody to be answered.
    if (!answered) static_cast<void>(notices_.let_go_on(call));
}

/// @return null: it is gone, or is of no interest
Process* Adoption::process_of(const os::HeldCall& call, bool may_be_new) {
    for (const auto& [id, process] : processes_) {
        if (process->foreign().has_thread(call.thread)) return process.get();
    }
    if (!may_be_new) return nullptr;
    auto found = os::ForeignProcess::of_thread(call.thread);
    if (!found || !notices_.waits(call)) return nullptr;
    const int id = found->process_id();
    auto& process = processes_[id];
    process = std::make_unique<Process>(loop_, std::move(*found), numbers_, [this, id] {
        const auto ended = processes_.extract(id);
        for (const Connection& connection : ended.mapped()->take_all()) closed(connection);
    });
    return process.get();
}

/// Whether the descriptor of a process is one of the listeners: a forked child may have made
/// something else of the number.
Adoption::Listener* Adoption::listener(const Process& process, int number) {
    if (listeners_.empty()) return nullptr;
    const auto descriptor = process.foreign().descriptor(number);
    if (!descriptor) return nullptr;
    const auto identity = os::identity_of(descriptor->borrow());
    const auto found = std::ranges::find(listeners_, identity, &Listener::identity);
    return found == listeners_.end() ? nullptr : &*found;
}

// ---- Listening

/// Where the program's listener would be nobody will listen: so it is bound in name, which also
/// works for several copies of a program, and without the right to the port.
bool Adoption::on_bind(const os::HeldCall& call, Process& process) {
    alignas(accept::Address) std::array<std::byte, sizeof(accept::Address)> bytes{};
    const std::size_t size = std::min<std::size_t>(call.word(2), bytes.size());
    if (!process.foreign().read(call.arguments[1], std::span(bytes).first(size))) return false;
    const auto address = accept::address_from(reinterpret_cast<const sockaddr*>(bytes.data()),
                                              static_cast<socklen_t>(size));
    const auto socket = process.foreign().descriptor(call.descriptor());
    if (!socket || !notices_.waits(call)) return false;
    if (address.port() == 0 || !is_meant(address.port()) || bound_.size() >= bound_limit) {
        return false;
    }
    if (!os::is_tcp(socket->borrow())) return false;
    const auto bound = bound_.emplace(os::identity_of(socket->borrow()), address);
    if (!bound.second) return false;  // a second time: the kernel has the right error
    static_cast<void>(notices_.answer(call, 0));
    return true;
}

bool Adoption::on_listen(const os::HeldCall& call, Process& process) {
    if (listener(process, call.descriptor()) != nullptr) {
        static_cast<void>(notices_.answer(call, 0));  // again, to change the backlog
        return true;
    }
    const auto socket = process.foreign().descriptor(call.descriptor());
    if (!socket || !notices_.waits(call) || !os::is_tcp(socket->borrow())) return false;
    const auto in_name = bound_.extract(os::identity_of(socket->borrow()));
    auto address = in_name ? in_name.mapped() : local_address(*socket);
    if (!in_name && address.port() == 0 && port_ == 0) {
        // listen(2) would have the kernel choose a port.
        if (::bind(socket->get(), &address.any, address.size()) != 0) return false;
        address = local_address(*socket);
    }
    if (is_meant(address.port())) {
        if (!take_over(call, process, *socket, address)) return false;
        port_ = address.port();
        static_cast<void>(notices_.answer(call, 0));
        return true;
    }
    // Another one was listened on first; this is the kernel's after all.
    if (!in_name || ::bind(socket->get(), &address.any, address.size()) == 0) return false;
    static_cast<void>(notices_.fail_with(call, errno));
    return true;
}

bool Adoption::take_over(const os::HeldCall& call, Process& process, const os::UniqueFd& socket,
                         const accept::Address& address) {
    auto pair = os::socket_pair(os::SocketKind::stream);
    if (!pair || !link_.start()) return false;
    if (!os::is_non_blocking(socket.borrow())) os::let_wait(pair->first.borrow());
    const bool close_on_exec = process.foreign().closes_on_exec(call.descriptor());
    if (!notices_.put(call, pair->first.borrow(), call.descriptor(), close_on_exec)) return false;
    auto& made = listeners_.emplace_back();
    made.programs_end = std::move(pair->first);
    made.here = std::move(pair->second);
    made.identity = os::identity_of(made.programs_end.borrow());
    made.address = address;
    arm_link();
    return true;
}

bool Adoption::on_accept(const os::HeldCall& call, Process& process) {
    const Listener* asked = listener(process, call.descriptor());
    if (asked == nullptr || !notices_.waits(call)) return false;
    const bool nothing_waits = next_for(*asked) == arrivals_.end();
    const std::uint32_t flags = call.call == os::Call::accept4 ? call.word(3) : 0;
    constexpr std::uint32_t known_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    if ((flags & ~known_flags) != 0) {
        static_cast<void>(notices_.fail_with(call, EINVAL));
        return true;
    }
    const Waiting waiting{
        .call = call, .process = process.foreign().process_id(), .listener = asked};
    if (nothing_waits && os::is_non_blocking(asked->programs_end.borrow())) {
        static_cast<void>(notices_.fail_with(call, EAGAIN));
        return true;
    }
    if (waiting_.size() >= waiting_limit) {
        std::erase_if(waiting_, [this](const Waiting& each) { return !notices_.waits(each.call); });
    }
    waiting_.push_back(waiting);
    serve();
    return true;
}

// ---- What is asked about them

bool Adoption::on_name(const os::HeldCall& call, Process& process) {
    const Connection* stream = process.connection(call.arguments[0]);
    if (stream != nullptr) {
        // A stream that Baton carries: options of TCP have no effect on it, and do no harm.
        if (call.call == os::Call::setsockopt) {
            if (call.word(1) == SOL_SOCKET) return false;
            static_cast<void>(notices_.answer(call, 0));
            return true;
        }
        const auto& address = call.call == os::Call::getpeername || listeners_.empty()
                                  ? stream->client
                                  : listeners_.front().address;
        if (!write_address(call, process, address)) return true;
        static_cast<void>(notices_.answer(call, 0));
        return true;
    }
    if (call.call != os::Call::getsockname) return false;
    if (const Listener* asked = listener(process, call.descriptor()); asked != nullptr) {
        if (write_address(call, process, asked->address)) {
            static_cast<void>(notices_.answer(call, 0));
        }
        return true;
    }
    if (bound_.empty()) return false;
    const auto socket = process.foreign().descriptor(call.descriptor());
    if (!socket) return false;
    const auto bound = bound_.find(os::identity_of(socket->borrow()));
    if (bound == bound_.end()) return false;
    if (write_address(call, process, bound->second)) {
        static_cast<void>(notices_.answer(call, 0));
    }
    return true;
}

/// The result of accept(2), getsockname(2) and getpeername(2): second and third argument.
/// @return false: it could not be written, and the call has got its error, or waits no more
bool Adoption::write_address(const os::HeldCall& call, Process& process,
                             const accept::Address& address) {
    const std::uint64_t room = call.arguments[1];
    const std::uint64_t size_at = call.arguments[2];
    if (room == 0 || size_at == 0) return true;
    std::uint32_t size = 0;
    auto size_bytes = std::as_writable_bytes(std::span(&size, 1));
    const auto fits = process.foreign().read(size_at, size_bytes);
    if (fits && notices_.waits(call)) {
        const auto bytes = std::as_bytes(std::span(&address, 1));
        const auto wanted = std::min<std::size_t>(size, address.size());
        size = address.size();
        if (process.foreign().write(room, bytes.first(wanted)) &&
            process.foreign().write(size_at, size_bytes)) {
            return true;
        }
    }
    static_cast<void>(notices_.fail_with(call, EFAULT));
    return false;
}

// ---- Closing

/// What keeps the number takes the connection's place, which closes it: so the program cannot get
/// the number for a file, whose closing would be taken for a connection's.
bool Adoption::on_close(const os::HeldCall& call, Process& process) {
    if (process.keeps(call.arguments[0])) {
        static_cast<void>(notices_.fail_with(call, EBADF));
        return true;
    }
    if (process.connection(call.arguments[0]) == nullptr) return false;
    if (!notices_.put(call, nothing_.borrow(), call.descriptor(), true)) return false;
    static_cast<void>(notices_.answer(call, 0));
    const auto connection = process.take(call.arguments[0]);
    closed(*connection);
    return true;
}

/// close_range(2) and dup2(2): whatever was there the program has made something else of it.
bool Adoption::on_replaced(const os::HeldCall& call, Process& process) {
    std::uint64_t first = call.word(1);
    std::uint64_t last = first;
    if (call.call == os::Call::close_range) {
        if ((call.word(2) & os::close_range_on_exec) != 0) return false;
        first = call.word(0);
        last = call.word(1);
    } else if (call.word(0) == call.word(1)) {
        return false;  // nothing is replaced
    }
    first = std::max<std::uint64_t>(first, numbers_.first);
    last = std::min<std::uint64_t>(last, numbers_.end - 1);
    for (std::uint64_t number = first; process.is_prepared() && number <= last; ++number) {
        if (const auto connection = process.take(number)) closed(*connection);
        process.lose(static_cast<std::uint32_t>(number));
    }
    return false;
}

}  // namespace baton::adopt
