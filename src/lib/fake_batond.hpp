#pragma once

// batond as the tests of libbaton see it: the other end of the link, and clients over real sockets.

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core/wire/worker_link.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"

namespace baton::lib::testing {

/// Long enough for any machine; reached only when a test fails.
inline constexpr auto patience = std::chrono::seconds(20);

/// A folder that goes with the test.
class Folder {
public:
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "baton-lib-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// What came in one packet; the messages' views point into `bytes`.
struct Packet {
    std::vector<std::byte> bytes;
    std::vector<wire::Message> messages;
    os::UniqueFd passed;

    template <typename Kind>
    [[nodiscard]] const Kind& get(std::size_t index = 0) const {
        return std::get<Kind>(messages.at(index));
    }
};

/// batond's end of one worker's link.
class FakeLink {
public:
    FakeLink() = default;
    explicit FakeLink(os::UniqueFd fd) : fd_(std::move(fd)) {}

    /// The next packet; nullopt: the worker has closed the link.
    std::optional<Packet> next() {
        if (!os::wait_until(fd_.borrow(), os::Becomes::readable, patience)) {
            throw std::runtime_error("the worker says nothing");
        }
        Packet packet;
        packet.bytes.resize(wire::packet_size_limit);
        auto got = os::receive_packet(fd_.borrow(), packet.bytes);
        if (!got && got.error().code == Errc::peer_gone) return next();
        if (!got || got->size == 0) return std::nullopt;
        packet.bytes.resize(got->size);
        packet.passed = std::move(got->passed);
        wire::PacketReader reader(packet.bytes);
        for (;;) {
            const auto message = reader.next();
            if (!message) throw std::runtime_error("the worker sent a corrupt packet");
            if (!*message) return packet;
            packet.messages.push_back(**message);
        }
    }

    /// The next packet, which must be one message of this kind.
    template <typename Kind>
    Kind next_is() {
        auto packet = next();
        if (!packet) throw std::runtime_error("the worker closed the link");
        if (packet->messages.size() != 1) throw std::runtime_error("more than one message");
        kept_.push_back(std::move(*packet));
        return kept_.back().get<Kind>();
    }

    [[nodiscard]] bool silent() const {
        return !os::wait_until(fd_.borrow(), os::Becomes::readable, Duration::zero());
    }

    void send(const wire::Message& message, os::BorrowedFd passed = {}) const {
        std::vector<std::byte> packet;
        wire::append(packet, message);
        send_bytes(packet, passed);
    }
    void send_bytes(std::span<const std::byte> packet, os::BorrowedFd passed = {}) const {
        if (!os::send_packet(fd_.borrow(), packet, passed)) {
            throw std::runtime_error("cannot send to the worker");
        }
    }
    void close() { fd_.reset(); }
    [[nodiscard]] os::BorrowedFd fd() const { return fd_.borrow(); }

private:
    os::UniqueFd fd_;
    std::vector<Packet> kept_;  // what next_is() returned has views into it
};

class FakeBatond {
public:
    FakeBatond() { listen(); }

    [[nodiscard]] std::string path() const { return folder_.file("worker.sock"); }

    FakeLink accept() {
        if (!os::wait_until(listener_.borrow(), os::Becomes::readable, patience)) {
            throw std::runtime_error("no worker connects");
        }
        return FakeLink(std::move(os::accept_from(listener_.borrow())->fd));
    }

    void stop_listening() {
        listener_.reset();
        std::filesystem::remove(path());
    }
    void listen() {
        auto made =
            os::listen_on(*os::Address::parse("unix:" + path()), os::SocketKind::packet, {});
        if (!made) throw std::runtime_error("cannot listen");
        listener_ = std::move(*made);
    }

private:
    Folder folder_;
    os::UniqueFd listener_;
};

/// A client and the connection as the front holds it.
class Client {
public:
    enum class Over { tcp, unix_socket };

    explicit Client(Over over = Over::tcp) {
        if (over == Over::unix_socket) {
            std::tie(client_, front_) = os::socket_pair_or_throw(os::SocketKind::stream);
            return;
        }
        auto listener =
            os::listen_on(*os::Address::parse("127.0.0.1:0"), os::SocketKind::stream, {});
        client_ = *os::connect_to(*os::local_address(listener->borrow()), os::SocketKind::stream);
        if (!os::wait_until(listener->borrow(), os::Becomes::readable, patience)) {
            throw std::runtime_error("no connection");
        }
        front_ = std::move(os::accept_from(listener->borrow())->fd);
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = os::send_some(client_.borrow(), std::as_bytes(std::span(bytes)));
            if (sent) {
                bytes.remove_prefix(*sent);
            } else if (!os::wait_until(client_.borrow(), os::Becomes::writable, patience)) {
                throw std::runtime_error("the connection is full");
            }
        }
    }

    /// Waits for exactly so many bytes.
    std::string receive(std::size_t size) {
        std::string bytes;
        while (bytes.size() < size && receive_some(bytes, size - bytes.size())) {}
        return bytes;
    }
    /// A head, up to its empty line.
    std::string receive_head() {
        std::string bytes;
        while (!bytes.ends_with("\r\n\r\n") && receive_some(bytes, 1)) {}
        return bytes;
    }
    /// Whatever comes until the connection ends.
    std::string receive_all() {
        std::string bytes;
        while (receive_some(bytes, 65536)) {}
        return bytes;
    }
    /// The first receive that did not give bytes failed (a reset) instead of reading an end.
    [[nodiscard]] bool was_reset() const { return reset_; }

    /// What lies unread in the front's socket, once at least `size` bytes do.
    std::string unread(std::size_t size) {
        std::string bytes(size + 4096, '\0');
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < deadline) {
            const auto got =
                os::peek_some(front_.borrow(), std::as_writable_bytes(std::span(bytes)));
            const std::size_t count = got ? *got : 0;
            if (count >= size) return bytes.substr(0, count);
            std::this_thread::yield();
        }
        throw std::runtime_error("the bytes do not come");
    }

    void close() { client_.reset(); }
    void close_front() { front_.reset(); }
    void end_sending() { os::shutdown_writing(client_.borrow()); }
    [[nodiscard]] os::BorrowedFd front() const { return front_.borrow(); }
    [[nodiscard]] os::BorrowedFd fd() const { return client_.borrow(); }

private:
    bool receive_some(std::string& bytes, std::size_t size) {
        std::array<char, 65536> room;
        for (;;) {
            const auto got = os::receive_some(
                client_.borrow(),
                std::as_writable_bytes(std::span(room).first(std::min(size, room.size()))));
            if (got) {
                bytes.append(room.data(), *got);
                return *got > 0;
            }
            if (got.error().code != Errc::would_block) {
                reset_ = true;
                return false;
            }
            if (!os::wait_until(client_.borrow(), os::Becomes::readable, patience)) {
                throw std::runtime_error("no more comes");
            }
        }
    }

    os::UniqueFd client_;
    os::UniqueFd front_;
    bool reset_ = false;
};

}  // namespace baton::lib::testing
