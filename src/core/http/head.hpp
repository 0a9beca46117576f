#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.hpp"
#include "core/http/framing.hpp"
#include "core/http/host.hpp"
#include "core/http/lines.hpp"
#include "core/http/method.hpp"

namespace baton::http {

/// What a head may have at most. All of it is checked while the head arrives, so a refusal comes as
/// soon as a limit is passed.
struct HeadLimits {
    std::size_t head_bytes = 16 * 1024;   ///< of the whole head; not above head_bytes_ceiling
    std::size_t target_bytes = 8 * 1024;  ///< of the request target
    std::size_t fields = 100;             ///< count; not above field_count_ceiling
};

/// No setting goes beyond these. Heads are peeked, so they have to fit in a socket's receive buffer
/// together with what arrives behind them.
inline constexpr std::size_t head_bytes_ceiling = 32 * 1024;
inline constexpr std::size_t field_count_ceiling = 128;

/// A parsed request head: a value that names places in the bytes it was parsed from.
///
/// The views it gives point into those bytes, which the caller keeps; so do empty ones. A copy of
/// the head is good for a copy of the bytes after rebase(). Costs nothing to construct: the fields
/// are not initialised.
class Head {
public:
    Head() noexcept {}  // NOLINT(modernize-use-equals-default): `= default` would clear fields_

    [[nodiscard]] Method method() const noexcept { return method_; }
    [[nodiscard]] std::string_view method_text() const noexcept { return view(method_text_); }
    /// RFC 9110, 9.2.2: may be sent again when nothing is known of its first try.
    [[nodiscard]] bool idempotent() const noexcept { return is_idempotent(method_); }

    /// As it stands in the request line.
    [[nodiscard]] std::string_view target() const noexcept { return view(target_); }
    /// Undecoded, without the query. `/` when an absolute target has none; `*` for OPTIONS.
    [[nodiscard]] std::string_view path() const noexcept { return view(path_); }
    /// Without its `?`; empty when there is none.
    [[nodiscard]] std::string_view query() const noexcept { return view(query_); }
    /// x of HTTP/1.x: 0 or 1.
    [[nodiscard]] int minor_version() const noexcept { return minor_version_; }

    /// `host[:port]` of the Host field or of an absolute target, which agree; empty when an
    /// HTTP/1.0 request has none, or when the field is empty.
    [[nodiscard]] std::string_view host_port() const noexcept { return view(host_port_); }
    /// The same without the port, in the sender's case; an IPv6 address with its brackets.
    [[nodiscard]] std::string_view host() const noexcept {
        return host_port().substr(0, host_size_);
    }

    [[nodiscard]] std::size_t field_count() const noexcept { return field_count_; }
    /// @param index  below field_count()
    [[nodiscard]] Field field(std::size_t index) const noexcept {
        return {view(fields_[index].name), view(fields_[index].value)};
    }
    /// The value of the first field of this name, in whatever case; empty when there is none.
    [[nodiscard]] std::string_view value_of(std::string_view name) const noexcept;
    /// The first Accept field; empty when there is none.
    [[nodiscard]] std::string_view accept() const noexcept { return view(accept_); }

    /// Bytes of the head from the first one given to the parser to the final CR LF, a leading empty
    /// line included: the body begins here.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// none, sized or chunked.
    [[nodiscard]] Framing framing() const noexcept { return framing_; }
    /// Bytes of a sized body, else 0.
    [[nodiscard]] std::uint64_t content_length() const noexcept { return content_length_; }

    /// The client allows another request on this connection (RFC 9112, 9.3).
    [[nodiscard]] bool keep_alive() const noexcept { return keep_alive_; }
    /// The client offers to change the protocol (RFC 9110, 7.8); never in HTTP/1.0.
    [[nodiscard]] bool upgrade() const noexcept { return upgrade_; }
    /// The client waits for `100 Continue` before it sends the body; never in HTTP/1.0.
    [[nodiscard]] bool expect_continue() const noexcept { return expect_continue_; }

    /// Says where the bytes lie from now on.
    /// @param bytes  the same, from the first one given to the parser on; at least size()
    void rebase(std::string_view bytes) noexcept { base_ = bytes.data(); }

private:
    friend class HeadParser;

    static_assert(head_bytes_ceiling <= UINT16_MAX, "places in a head are 16 bits wide");
    struct Slice {
        std::uint16_t offset;
        std::uint16_t size;
    };
    struct FieldSlices {
        Slice name;
        Slice value;
    };

    [[nodiscard]] std::string_view view(Slice slice) const noexcept {
        return {base_ + slice.offset, slice.size};
    }

    const char* base_ = "";
    std::uint64_t content_length_ = 0;
    std::size_t size_ = 0;
    Slice method_text_{};
    Slice target_{};
    Slice path_{};
    Slice query_{};
    Slice host_port_{};
    Slice accept_{};
    std::uint16_t host_size_ = 0;
    std::uint16_t field_count_ = 0;
    Method method_ = Method::other;
    Framing framing_ = Framing::none;
    std::uint8_t minor_version_ = 1;
    bool keep_alive_ = false;
    bool upgrade_ = false;
    bool expect_continue_ = false;
    std::array<FieldSlices, field_count_ceiling> fields_;  // the first field_count_ are set
};

/// Parses the head of an HTTP/1.x request, strictly, from bytes that are peeked again and again.
///
/// Whatever two parsers could read in two ways is refused, so that front, worker and whatever
/// stands before or behind them agree on where each request ends. Each line is parsed once, when it
/// is complete: offering a head in a hundred pieces costs about as much as offering it at once, and
/// the result, refusals included, does not depend on the pieces.
///
/// After `complete` or a refusal each further call returns the same. No allocation, no exception.
/// Thread-safety: none; one connection at a time.
///
/// What each refusal means is in tests/conformance/request_heads.txt, row by row, with its section
/// of RFC 9110 or 9112. After any of them: answer with describe(code).http_status, then close with
/// a lingering close, for what follows cannot be told from a body.
class HeadParser {
public:
    explicit HeadParser(const HeadLimits& limits) noexcept;

    /// @param bytes  everything received from the first byte of the request on, at any address; may
    ///               hold the body and further requests, which are not looked at. When there are
    ///               fewer than last time (urgent data can do that to a peek), it starts over.
    [[nodiscard]] Result<Progress> parse(std::string_view bytes) noexcept;

    /// Valid once parse() returned `complete`, as long as the bytes given to that call.
    [[nodiscard]] const Head& head() const noexcept { return head_; }

    /// A byte of the request line has been seen. Until then the client is idle, even if the empty
    /// line that old clients send after a body has arrived: its time limit is keepalive-timeout.
    [[nodiscard]] bool begun() const noexcept { return begun_; }

    /// Ready for the next request.
    void reset() noexcept;

private:
    enum class Expecting : std::uint8_t { request_line, fields, nothing, refused };

    /// What is known before the fields are judged together. HostPort views die with the call, so
    /// they are kept as slices.
    struct Seen {
        bool empty_line = false;  // before the request line
        bool absolute_target = false;
        bool host = false;
        bool content_length = false;
        bool transfer_encoding = false;
        bool upgrade = false;
        ConnectionOptions connection;
        std::uint32_t default_port = 0;  // of an absolute target's scheme
        std::uint32_t target_port = 0;
    };

    [[nodiscard]] Result<Progress> advance(std::string_view bytes) noexcept;
    [[nodiscard]] Result<> take_line(std::string_view line) noexcept;
    [[nodiscard]] Result<> check_request_line_so_far(std::string_view line) noexcept;
    [[nodiscard]] Result<> take_request_line(std::string_view line) noexcept;
    [[nodiscard]] Result<> take_target(std::string_view text) noexcept;
    [[nodiscard]] Result<> take_field(std::string_view line) noexcept;
    [[nodiscard]] Result<> judge_field(const Field& field) noexcept;
    [[nodiscard]] Result<> take_host(std::string_view value) noexcept;
    [[nodiscard]] Result<> finish() noexcept;
    void set_host(const HostPort& parsed, std::string_view text) noexcept;
    [[nodiscard]] Head::Slice slice(std::string_view part) const noexcept;

    HeadLimits limits_;
    LineCutter lines_;
    std::size_t method_size_ = 0;  // of the request line, as far as it is there
    std::size_t target_size_ = 0;
    Expecting expecting_ = Expecting::request_line;
    Errc refusal_{};  // why, when refused
    bool begun_ = false;
    Seen seen_;
    Head head_;
};

/// Parses bytes that came in one piece, or refuses; for tests, tools and whoever never comes again.
[[nodiscard]] Result<Progress> parse_head(std::string_view bytes, const HeadLimits& limits,
                                          Head& out) noexcept;

}  // namespace baton::http
