#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/http/head.hpp"

namespace baton::http {
namespace {

/// What a head is built from, and what it must parse to.
struct Parts {
    std::string method;
    std::string path;
    std::optional<std::string> query;
    int minor_version = 1;
    std::string host;
    std::vector<std::pair<std::string, std::string>> fields;  // beside Host
};

std::string target_of(const Parts& parts) {
    return parts.query ? parts.path + "?" + *parts.query : parts.path;
}

/// The bytes, and the places at which a CR, LF, blank or colon divides them.
struct Built {
    std::string bytes;
    std::vector<std::size_t> joints;
};

void join(Built& built, std::string_view divider) {
    for (const char c : divider) {
        built.joints.push_back(built.bytes.size());
        built.bytes += c;
    }
}

Built build(const Parts& parts) {
    Built built;
    built.bytes = parts.method;
    join(built, " ");
    built.bytes += target_of(parts);
    join(built, " ");
    built.bytes += "HTTP/1." + std::to_string(parts.minor_version);
    join(built, "\r\n");
    const auto field = [&built](std::string_view name, std::string_view value) {
        built.bytes += name;
        join(built, ": ");
        built.bytes += value;
        join(built, "\r\n");
    };
    field("Host", parts.host);
    for (const auto& [name, value] : parts.fields) field(name, value);
    join(built, "\r\n");
    return built;
}

std::string any_text(std::string_view characters, std::size_t smallest, std::size_t largest) {
    const auto size = *rc::gen::inRange(smallest, largest + 1);
    return *rc::gen::container<std::string>(size, rc::gen::elementOf(std::string{characters}));
}

Parts any_parts() {
    Parts parts;
    const bool is_known = *rc::gen::arbitrary<bool>();
    parts.method = is_known ? *rc::gen::element<std::string>("GET", "HEAD", "POST", "PUT", "DELETE")
                            : any_text("abcXYZ019!#$%&'*+-.^_`|~", 1, method_size_limit);
    parts.path = "/";
    for (int segments = *rc::gen::inRange(0, 6); segments > 0; --segments) {
        parts.path += any_text("abcXYZ019-._~!$&'()*+,;=:@[]|", 0, 8) + "%4a/";
    }
    if (*rc::gen::arbitrary<bool>()) parts.query = any_text("abc=&?/%20\\|", 0, 20);
    parts.minor_version = *rc::gen::inRange(0, 2);
    parts.host =
        *rc::gen::element<std::string>("a", "www.example.org:8080", "10.0.0.1", "[::1]:80");
    for (int fields = *rc::gen::inRange(0, 8); fields > 0; --fields) {
        // Names that mean nothing to the parser: the others have tests of their own. Blanks around
        // a value are no part of it, hence the letters.
        parts.fields.emplace_back("X-" + any_text("abcXYZ019!#$%&'*+-.^_`|~", 0, 20),
                                  "v" + any_text("abc XYZ\t019\"',;:=?/\\\x80\xff", 0, 40) + "v");
    }
    return parts;
}

/// A query may hold a `%` that is no encoding: such heads are refused, and still good for
/// splitting.
bool is_valid(const Parts& parts) {
    const std::string query = parts.query.value_or("");
    for (std::size_t at = query.find('%'); at != std::string::npos; at = query.find('%', at + 1)) {
        if (query.compare(at, 3, "%20") != 0) return false;
    }
    return parts.method != "CONNECT";
}

void expect_same(const Head& head, const Parts& parts) {
    RC_ASSERT((head.method_text() == parts.method));
    RC_ASSERT((head.target() == target_of(parts)));
    RC_ASSERT((head.path() == parts.path));
    RC_ASSERT((head.query() == parts.query.value_or("")));
    RC_ASSERT((head.minor_version() == parts.minor_version));
    RC_ASSERT((head.host_port() == parts.host));
    RC_ASSERT((head.framing() == Framing::none));
    RC_ASSERT((head.field_count() == parts.fields.size() + 1));
    for (std::size_t index = 0; index < parts.fields.size(); ++index) {
        RC_ASSERT((head.field(index + 1).name == parts.fields[index].first));
        RC_ASSERT((head.field(index + 1).value == parts.fields[index].second));
    }
}

RC_GTEST_PROP(HeadProperty, AValidHeadParsesToWhatItWasBuiltFrom, ()) {
    const Parts parts = any_parts();
    RC_PRE(is_valid(parts));
    const Built built = build(parts);
    Head head;
    RC_ASSERT((parse_head(built.bytes, {}, head) == Progress::complete));
    RC_ASSERT((head.size() == built.bytes.size()));
    expect_same(head, parts);
}

/// A head that is sound, or one with something thrown in anywhere.
std::string any_bytes() {
    std::string bytes = build(any_parts()).bytes + *rc::gen::element<std::string>("", "body");
    for (int changes = *rc::gen::inRange(0, 3); changes > 0; --changes) {
        const auto place = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
        bytes.insert(
            place, *rc::gen::element<std::string>(
                       "\r", "\n", " ", "\r\n", "\t", std::string(1, '\0'), ":", "\r\nHost: b\r\n",
                       "\r\nContent-Length: 5\r\n", "\r\nTransfer-Encoding: chunked\r\n",
                       "\r\nExpect: x\r\n", "\x7f", "#", "%", "HTTP/2.0", std::string(300, 'x')));
    }
    return bytes;
}

RC_GTEST_PROP(HeadProperty, EverySplitGivesTheSameAsOnePiece, ()) {
    const std::string bytes = any_bytes();
    // Small limits, so that they are met often.
    const HeadLimits limits{.head_bytes = *rc::gen::element<std::size_t>(200, 600, 16384),
                            .target_bytes = *rc::gen::element<std::size_t>(20, 8192),
                            .fields = *rc::gen::element<std::size_t>(4, 100)};
    HeadParser whole{limits};
    const Result<Progress> expected = whole.parse(bytes);
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        HeadParser parser{limits};
        // A copy of exactly this size: a sanitizer sees a look beyond it.
        const std::vector<char> first(bytes.begin(),
                                      bytes.begin() + static_cast<std::ptrdiff_t>(split));
        const Result<Progress> early = parser.parse({first.data(), first.size()});
        // A refusal may come early, but it must be the same one; so must an early end.
        if (early != Progress::more) RC_ASSERT((early == expected));
        RC_ASSERT((parser.parse(bytes) == expected));
        if (expected != Progress::complete) continue;
        RC_ASSERT((parser.head().size() == whole.head().size()));
        RC_ASSERT((parser.head().target() == whole.head().target()));
        RC_ASSERT((parser.head().host_port() == whole.head().host_port()));
        RC_ASSERT((parser.head().framing() == whole.head().framing()));
        RC_ASSERT((parser.head().field_count() == whole.head().field_count()));
    }
}

RC_GTEST_PROP(HeadProperty, AByteChangedAtAJointIsRefusedOrChangesNothing, ()) {
    const Parts parts = any_parts();
    RC_PRE(is_valid(parts));
    const Built built = build(parts);
    const std::size_t place = *rc::gen::elementOf(built.joints);
    const char byte = *rc::gen::element('\r', '\n', ' ', '\t');
    std::string bytes = built.bytes;
    switch (*rc::gen::inRange(0, 4)) {
        case 0: bytes.insert(place, 1, byte); break;
        case 1: bytes.insert(place + 1, 1, byte); break;
        case 2: bytes[place] = byte; break;
        default: bytes.erase(place, 1);
    }
    Head head;
    if (parse_head(bytes, {}, head) != Progress::complete) return;  // refused, or not at its end
    expect_same(head, parts);
}

}  // namespace
}  // namespace baton::http
