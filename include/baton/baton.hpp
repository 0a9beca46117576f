// libbaton for C++20: baton.h with owners, views and spans. Header only.
//
//     baton::Worker worker;                      // from the environment; throws
//     baton::ConnectError baton::Request request; while (worker.accept(request)) {
//         request.respond(200, "text/plain", "hello\n");
//         request.done();
//     }
//
// Each function is the one of baton.h with its name, which has its full description. Exceptions
// leave the constructors of Worker only; everything else returns an Outcome. Objects are owners:
// they move, and their destructors free. Views are valid until their request is freed or used for
// the next one.
#pragma once

#include <baton/baton.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace baton {

/// A baton_code: true when it went well.
class Outcome {
public:
    constexpr Outcome(int code) noexcept : code_(code) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return code_ == BATON_OK; }
    [[nodiscard]] constexpr int code() const noexcept { return code_; }
    /// What the code means in general; baton_error_text() knows more of this thread's last failure.
    [[nodiscard]] const char* text() const noexcept { return baton_code_text(code_); }

    friend constexpr bool operator==(Outcome, Outcome) noexcept = default;

private:
    int code_;
};

/// How many bytes were read, or why none could be.
class ReadOutcome {
public:
    explicit constexpr ReadOutcome(std::ptrdiff_t count) noexcept : count_(count) {}

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return count_ >= 0; }
    /// 0: the body is complete, or reading failed.
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return count_ < 0 ? 0 : static_cast<std::size_t>(count_);
    }
    [[nodiscard]] constexpr int code() const noexcept {
        return count_ < 0 ? static_cast<int>(count_) : BATON_OK;
    }

private:
    std::ptrdiff_t count_;
};

/// batond could not be reached, or does not want this worker. what() says which, for people.
class ConnectError : public std::runtime_error {
public:
    explicit ConnectError(int code) : std::runtime_error(baton_error_text()), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    int code_;
};

/// A connection that a worker has for itself (Request::release()).
struct Released {
    int fd = -1;  ///< to be closed by the caller
    Outcome outcome = BATON_OK;
};

/// One request, ended with its owner if nobody has ended it before. May be empty.
class Request {
public:
    Request() noexcept = default;
    /// Owns a request of the C interface.
    explicit Request(baton_request_t* handle) noexcept : handle_(handle) {}

    [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }
    [[nodiscard]] baton_request_t* get() const noexcept { return handle_.get(); }
    void reset() noexcept { handle_.reset(); }

    Outcome read_head() noexcept { return baton_request_read_head(get()); }
    [[nodiscard]] int fd() const noexcept { return baton_request_fd(get()); }
    [[nodiscard]] std::uint64_t id() const noexcept { return baton_request_id(get()); }
    [[nodiscard]] std::uint64_t client_id() const noexcept {
        return baton_request_client_id(get());
    }
    [[nodiscard]] unsigned attempt() const noexcept { return baton_request_attempt(get()); }
    [[nodiscard]] bool bridged() const noexcept { return baton_request_bridged(get()) != 0; }
    [[nodiscard]] bool rest_welcome() const noexcept {
        return baton_request_rest_welcome(get()) != 0;
    }
    [[nodiscard]] std::string_view client_address() const noexcept {
        return view(baton_request_client_address(get()));
    }
    [[nodiscard]] std::string_view bytes_beside() const noexcept {
        return view(baton_request_bytes_beside(get()));
    }
    [[nodiscard]] std::string_view method() const noexcept {
        return view(baton_request_method(get()));
    }
    [[nodiscard]] std::string_view target() const noexcept {
        return view(baton_request_target(get()));
    }
    [[nodiscard]] std::string_view path() const noexcept { return view(baton_request_path(get())); }
    [[nodiscard]] std::string_view query() const noexcept {
        return view(baton_request_query(get()));
    }
    [[nodiscard]] int minor_version() const noexcept { return baton_request_minor_version(get()); }
    [[nodiscard]] std::string_view head() const noexcept { return view(baton_request_head(get())); }

    [[nodiscard]] std::optional<std::string_view> header(const char* name) const noexcept {
        const baton_string_t value = baton_request_header(get(), name);
        if (value.data == nullptr) return std::nullopt;
        return view(value);
    }
    [[nodiscard]] std::size_t header_count() const noexcept {
        return baton_request_header_count(get());
    }
    /// Name and value; both empty above header_count().
    [[nodiscard]] std::pair<std::string_view, std::string_view> header_at(
        std::size_t index) const noexcept {
        baton_string_t name{};
        baton_string_t value{};
        baton_request_header_at(get(), index, &name, &value);
        return {view(name), view(value)};
    }
    /// Decoded.
    [[nodiscard]] std::optional<std::string> parameter(const char* name) const {
        std::string value(query().size() + 1, '\0');  // decoding makes nothing longer
        const auto size = baton_request_parameter(get(), name, value.data(), value.size());
        if (size < 0) return std::nullopt;
        value.resize(static_cast<std::size_t>(size));
        return value;
    }

    /// Zero: never wait.
    void set_timeout(std::chrono::milliseconds timeout) noexcept {
        baton_request_set_timeout(get(), static_cast<int>(timeout.count()));
    }
    [[nodiscard]] bool client_gone() const noexcept { return baton_client_gone(get()) != 0; }

    /// nullopt: only its end will tell.
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept {
        const std::int64_t length = baton_request_content_length(get());
        if (length == BATON_UNKNOWN_LENGTH) return std::nullopt;
        return static_cast<std::uint64_t>(length);
    }
    ReadOutcome read(std::span<char> buffer) noexcept {
        return ReadOutcome(baton_request_read(get(), buffer.data(), buffer.size()));
    }
    ReadOutcome read(std::span<std::byte> buffer) noexcept {
        return ReadOutcome(baton_request_read(get(), buffer.data(), buffer.size()));
    }
    Outcome discard_body(std::uint64_t limit) noexcept {
        return baton_request_discard_body(get(), limit);
    }

    Outcome respond_header(const char* name, const char* value) noexcept {
        return baton_respond_header(get(), name, value);
    }
    Outcome respond_close() noexcept { return baton_respond_close(get()); }
    Outcome respond(int status, const char* content_type, std::string_view body) noexcept {
        return baton_respond(get(), status, content_type, body.data(), body.size());
    }
    Outcome respond(int status, const char* content_type,
                    std::span<const std::byte> body) noexcept {
        return baton_respond(get(), status, content_type, body.data(), body.size());
    }
    Outcome respond_file(int status, const char* content_type, int file, std::uint64_t offset,
                         std::uint64_t size) noexcept {
        return baton_respond_file(get(), status, content_type, file, offset, size);
    }
    /// @param content_length  nullopt: not known yet
    Outcome respond_begin(int status, const char* content_type,
                          std::optional<std::uint64_t> content_length = std::nullopt) noexcept {
        return baton_respond_begin(
            get(), status, content_type,
            content_length ? static_cast<std::int64_t>(*content_length) : BATON_UNKNOWN_LENGTH);
    }
    Outcome respond_write(std::string_view data) noexcept {
        return baton_respond_write(get(), data.data(), data.size());
    }
    Outcome respond_write(std::span<const std::byte> data) noexcept {
        return baton_respond_write(get(), data.data(), data.size());
    }
    Outcome respond_end() noexcept { return baton_respond_end(get()); }
    Outcome respond_flush() noexcept { return baton_respond_flush(get()); }
    Outcome respond_put_aside() noexcept { return baton_respond_put_aside(get()); }
    Outcome respond_upgrade(const char* protocol) noexcept {
        return baton_respond_upgrade(get(), protocol);
    }

    Outcome done() noexcept { return baton_done(get()); }
    Outcome done_as(const baton_outcome_t& outcome) noexcept {
        return baton_done_as(get(), &outcome);
    }
    Outcome decline(int reason = BATON_DECLINE_UNSAID) noexcept {
        return baton_decline(get(), reason);
    }
    [[nodiscard]] Released release(bool keep_slot) noexcept {
        Released released;
        released.outcome = baton_release(get(), keep_slot ? 1 : 0, &released.fd);
        return released;
    }

private:
    struct Free {
        void operator()(baton_request_t* handle) const noexcept { baton_request_free(handle); }
    };

    [[nodiscard]] static std::string_view view(baton_string_t text) noexcept {
        return text.data == nullptr ? std::string_view{} : std::string_view{text.data, text.size};
    }

    std::unique_ptr<baton_request_t, Free> handle_;
};

/// As baton_worker_options_t: what is left empty or zero comes from the environment.
struct WorkerOptions {
    std::string socket_path;
    std::string service;
    std::uint64_t worker_id = 0;
    std::uint32_t slots = 0;
    std::chrono::milliseconds request_timeout{0};  ///< negative: requests never wait
    std::chrono::milliseconds connect_timeout{0};
    std::int64_t rest_limit = 0;
    std::function<void()> on_reinit;         ///< must not throw
    std::function<std::string()> on_status;  ///< must not throw
};

/// A worker's connection to batond.
class Worker {
public:
    /// @throws ConnectError
    explicit Worker(WorkerOptions options = {}) : Worker(0, nullptr, std::move(options)) {}

    /// For a worker that is started with `argv=isectd`; its own arguments begin at argv[ISDARGMAZ].
    /// @throws ConnectError
    Worker(int argc, char* const* argv, WorkerOptions options = {})
        : options_(std::make_unique<WorkerOptions>(std::move(options))) {
        const baton_worker_options_t plain = plain_options();
        baton_worker_t* handle = nullptr;
        const int code = argv == nullptr
                             ? baton_worker_connect(&plain, &handle)
                             : baton_worker_connect_arguments(argc, argv, &plain, &handle);
        if (code != BATON_OK) throw ConnectError(code);
        handle_.reset(handle);
    }

    [[nodiscard]] baton_worker_t* get() const noexcept { return handle_.get(); }
    [[nodiscard]] int fd() const noexcept { return baton_worker_fd(get()); }
    [[nodiscard]] std::uint64_t id() const noexcept { return baton_worker_id(get()); }

    /// The next request takes the place of what `request` holds, which is freed first.
    /// @param timeout_ms  -1: wait; 0: do not wait
    [[nodiscard]] Outcome accept(Request& request, int timeout_ms = -1) noexcept {
        request.reset();
        baton_request_t* handle = nullptr;
        const int code = baton_worker_accept(get(), timeout_ms, &handle);
        request = Request(handle);
        return code;
    }
    [[nodiscard]] Outcome accept_unread(Request& request, int timeout_ms = -1) noexcept {
        request.reset();
        baton_request_t* handle = nullptr;
        const int code = baton_worker_accept_unread(get(), timeout_ms, &handle);
        request = Request(handle);
        return code;
    }
    Outcome credit(std::uint32_t count = 1) noexcept { return baton_credit(get(), count); }
    Outcome bye() noexcept { return baton_bye(get()); }

private:
    struct Free {
        void operator()(baton_worker_t* handle) const noexcept { baton_worker_free(handle); }
    };

    [[nodiscard]] baton_worker_options_t plain_options() const noexcept {
        const WorkerOptions& from = *options_;
        baton_worker_options_t plain{};
        plain.size = sizeof plain;
        plain.socket_path = from.socket_path.empty() ? nullptr : from.socket_path.c_str();
        plain.service = from.service.empty() ? nullptr : from.service.c_str();
        plain.worker_id = from.worker_id;
        plain.slots = from.slots;
        plain.request_timeout_ms = static_cast<std::int32_t>(from.request_timeout.count());
        plain.connect_timeout_ms = static_cast<std::int32_t>(from.connect_timeout.count());
        plain.rest_limit = from.rest_limit;
        plain.context = options_.get();
        if (from.on_reinit) {
            plain.on_reinit = [](void* context) {
                static_cast<WorkerOptions*>(context)->on_reinit();
            };
        }
        if (from.on_status) {
            plain.on_status = [](void* context, char* text, std::size_t size) {
                return static_cast<WorkerOptions*>(context)->on_status().copy(text, size);
            };
        }
        return plain;
    }

    std::unique_ptr<WorkerOptions> options_;  // the callbacks: where they are, they stay
    std::unique_ptr<baton_worker_t, Free> handle_;
};

}  // namespace baton
