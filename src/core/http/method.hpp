#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace baton::http {

/// The methods of RFC 9110, 9.3 and RFC 5789; every other token is `other`. Case-sensitive: `get`
/// is `other`.
enum class Method : std::uint8_t {
    get,
    head,
    post,
    put,
    patch,
    delete_,
    options,
    trace,
    connect,
    other
};

/// A method's name has at most this many characters; the longest registered one has 17.
inline constexpr std::size_t method_size_limit = 32;

[[nodiscard]] Method method_from(std::string_view name) noexcept;

/// True if repeating the request does no more than sending it once (RFC 9110, 9.2.2). Of `other`
/// nothing is known, so false.
[[nodiscard]] constexpr bool is_idempotent(Method method) noexcept {
    using enum Method;
    return method == get || method == head || method == put || method == delete_ ||
           method == options || method == trace;
}

/// Which methods a route takes; an empty set takes all.
///
/// GET does not bring HEAD along: a set is what was written.
class MethodSet {
public:
    /// Adds one; false if `name` is no method (not a token, too long, or CONNECT, which Baton
    /// refuses before it looks for a route). Adding one twice changes nothing.
    [[nodiscard]] bool add(std::string_view name);

    [[nodiscard]] bool takes_all() const noexcept { return names_.empty(); }
    [[nodiscard]] bool contains(Method method, std::string_view name) const noexcept;
    /// True if some method would find both: two routes of one prefix may not. A set that takes all
    /// is the fallback behind the others, so it collides only with another one.
    [[nodiscard]] bool overlaps(const MethodSet& other) const noexcept;

    /// In the order of adding.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

    /// `GET,HEAD`; empty when it takes all.
    [[nodiscard]] std::string text() const;

    friend bool operator==(const MethodSet&, const MethodSet&) = default;

private:
    std::uint32_t known_ = 0;  // a bit for each enumerator but `other`
    std::vector<std::string> names_;
};

/// Parses `GET,HEAD`, as the option `method=` of `route` has it.
/// @return otherwise the element that is no method (it may be empty)
[[nodiscard]] std::expected<MethodSet, std::string_view> parse_method_list(std::string_view text);

}  // namespace baton::http
