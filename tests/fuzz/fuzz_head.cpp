// Heads of requests and responses: no byte is looked at twice or beyond the end, the pieces in
// which a head arrives do not matter, and what was accepted can be read in one way only.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.hpp"
#include "core/http/head.hpp"
#include "core/http/response.hpp"
#include "core/http/response_head.hpp"

namespace {

using baton::Result;
using baton::http::Framing;
using baton::http::Head;
using baton::http::HeadLimits;
using baton::http::HeadParser;
using baton::http::Progress;

constexpr HeadLimits limits{.head_bytes = 4096, .target_bytes = 1024, .fields = 20};

bool same(const Head& left, const Head& right) {
    if (left.field_count() != right.field_count()) return false;
    for (std::size_t index = 0; index < left.field_count(); ++index) {
        if (left.field(index).name != right.field(index).name) return false;
        if (left.field(index).value != right.field(index).value) return false;
    }
    return left.method() == right.method() && left.target() == right.target() &&
           left.path() == right.path() && left.query() == right.query() &&
           left.host_port() == right.host_port() && left.host() == right.host() &&
           left.minor_version() == right.minor_version() && left.framing() == right.framing() &&
           left.content_length() == right.content_length() &&
           left.keep_alive() == right.keep_alive() && left.upgrade() == right.upgrade() &&
           left.expect_continue() == right.expect_continue() && left.accept() == right.accept();
}

/// The head as a parser without any leniency would want it.
std::string render(const Head& head) {
    std::string text;
    text.append(head.method_text()).append(" ").append(head.target());
    text.append(" HTTP/1.").append(std::to_string(head.minor_version())).append("\r\n");
    for (std::size_t index = 0; index < head.field_count(); ++index) {
        text.append(head.field(index).name).append(": ");
        text.append(head.field(index).value).append("\r\n");
    }
    return text.append("\r\n");
}

/// Lines by the simplest reading there is.
std::size_t count_lines(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = text.find("\r\n"); at != std::string_view::npos;
         at = text.find("\r\n", at + 2)) {
        ++count;
    }
    return count;
}

/// Places are computed from the views, so each of them has to lie in the head.
void check_views(std::string_view text, const Head& head) {
    const auto inside = [text](std::string_view view) {
        return view.data() >= text.data() && view.data() + view.size() <= text.data() + text.size();
    };
    for (const std::string_view view :
         {head.method_text(), head.target(), head.path(), head.query(), head.host_port(),
          head.host(), head.accept(), head.value_of("none")}) {
        BATON_ASSERT(inside(view));
    }
    BATON_ASSERT(!head.method_text().empty() && !head.path().empty());
    for (std::size_t index = 0; index < head.field_count(); ++index) {
        BATON_ASSERT(inside(head.field(index).name) && inside(head.field(index).value));
    }
}

void check_accepted(std::string_view bytes, const Head& head) {
    BATON_ASSERT(head.size() <= bytes.size() && head.size() <= limits.head_bytes);
    const std::string_view text = bytes.substr(0, head.size());
    const std::size_t leading = text.starts_with("\r\n") ? 1 : 0;
    BATON_ASSERT(text.ends_with("\r\n\r\n"));
    BATON_ASSERT(text.find("\r\n\r\n") + 4 == head.size());
    BATON_ASSERT(count_lines(text) == head.field_count() + leading + 2);
    BATON_ASSERT(text.find('\0') == std::string_view::npos);
    check_views(text, head);
    if (head.minor_version() == 1)
        BATON_ASSERT(!head.value_of("host").empty() || head.host().empty());
    if (head.framing() == Framing::chunked) BATON_ASSERT(head.value_of("content-length").empty());

    // The accessors of Accept's reader run on whatever came in.
    (void)baton::http::prefers_json(head.accept());

    Head again;
    const std::string rendered = render(head);
    // Canonical text may be longer by a blank per field, so the limit may differ.
    if (rendered.size() > limits.head_bytes) return;
    BATON_ASSERT(parse_head(rendered, limits, again) == Progress::complete);
    BATON_ASSERT(same(head, again));
}

void check_request(std::string_view bytes) {
    HeadParser whole{limits};
    const Result<Progress> expected = whole.parse(bytes);
    if (expected == Progress::complete) check_accepted(bytes, whole.head());

    // Three pieces, cut at places that depend on the input, each in a buffer of its own.
    const std::size_t first =
        bytes.empty() ? 0 : static_cast<unsigned char>(bytes.back()) % bytes.size();
    const std::size_t second = first + (bytes.size() - first) / 2;
    HeadParser pieces{limits};
    for (const std::size_t size : {first, second, bytes.size()}) {
        const std::vector<char> copy(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const Result<Progress> progress = pieces.parse({copy.data(), copy.size()});
        if (progress != Progress::more || size == bytes.size()) BATON_ASSERT(progress == expected);
        if (progress == Progress::complete) BATON_ASSERT(same(pieces.head(), whole.head()));
    }
}

void check_response(std::string_view bytes) {
    using baton::http::Method;
    using baton::http::ResponseHeadParser;
    ResponseHeadParser whole{Method::get, limits.head_bytes};
    const Result<Progress> expected = whole.parse(bytes);
    ResponseHeadParser pieces{Method::get, limits.head_bytes};
    const Result<Progress> half = pieces.parse(bytes.substr(0, bytes.size() / 2));
    if (half != Progress::more) BATON_ASSERT(half == expected);
    BATON_ASSERT(pieces.parse(bytes) == expected);
    if (expected != Progress::complete) return;
    BATON_ASSERT(whole.head().size <= bytes.size());
    BATON_ASSERT(pieces.head().size == whole.head().size);
    BATON_ASSERT(whole.head().status >= 100 && whole.head().status <= 999);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    check_request(bytes);
    check_response(bytes);
    return 0;
}
