#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.hpp"
#include "core/http/framing.hpp"
#include "core/http/lines.hpp"
#include "core/http/method.hpp"

namespace baton::http {

/// What Baton wants to know of a worker's answer: where it ends, and its status for the access log.
struct ResponseHead {
    int status = 0;         ///< 100 to 999
    int minor_version = 1;  ///< x of HTTP/1.x
    std::size_t size = 0;   ///< bytes up to and including the final empty line
    Framing framing = Framing::until_close;
    std::uint64_t content_length = 0;  ///< of a sized body
    bool keep_alive = false;  ///< the worker's side lets the connection live; no, if until_close

    /// An interim answer (RFC 9110, 15.2): another head follows. 101 is not one.
    [[nodiscard]] bool interim() const noexcept { return status < 200 && status != 101; }
    /// From here on the bytes are another protocol's.
    [[nodiscard]] bool switched() const noexcept { return status == 101; }
};

/// Parses the head of a response to `request`; its method decides about the body (RFC 9112, 6.3).
///
/// As strict as HeadParser. Each line is parsed once, though the bytes are given from the first one
/// on each time. After an interim answer, start a new parser behind its `size`.
///
/// After `complete` or a refusal each further call returns the same.
class ResponseHeadParser {
public:
    /// @param limit_bytes  of the whole head
    explicit ResponseHeadParser(Method request, std::size_t limit_bytes = 32 * 1024) noexcept
        : limit_bytes_{limit_bytes}, request_{request} {}

    /// @param bytes  everything from the first byte of the answer on, at any address
    /// @return worker_protocol: not a response, or one whose end is ambiguous; what becomes of it
    /// is
    ///         the caller's decision, 502 as long as nothing was passed on
    [[nodiscard]] Result<Progress> parse(std::string_view bytes) noexcept;

    /// Valid once parse() returned `complete`.
    [[nodiscard]] const ResponseHead& head() const noexcept { return head_; }

private:
    enum class Expecting : std::uint8_t { status_line, fields, nothing, refused };

    [[nodiscard]] Result<> take_line(std::string_view line) noexcept;
    [[nodiscard]] Result<> take_status_line(std::string_view line) noexcept;
    [[nodiscard]] Result<> take_field(std::string_view line) noexcept;
    [[nodiscard]] Result<> finish() noexcept;

    std::size_t limit_bytes_;
    LineCutter lines_;
    ConnectionOptions connection_;
    Method request_;
    Expecting expecting_ = Expecting::status_line;
    bool has_content_length_ = false;
    bool has_transfer_encoding_ = false;
    ResponseHead head_;
};

}  // namespace baton::http
