#include "core/http/method.hpp"

#include <algorithm>
#include <array>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

// In the order of Method.
constexpr std::array<std::string_view, 9> method_names{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"};
static_assert(method_names.size() == static_cast<std::size_t>(Method::other));

constexpr std::uint32_t bit_of(Method method) noexcept {
    return method == Method::other ? 0 : std::uint32_t{1} << static_cast<unsigned>(method);
}

}  // namespace

Method method_from(std::string_view name) noexcept {
    for (std::size_t index = 0; index < method_names.size(); ++index) {
        if (method_names[index] == name) return static_cast<Method>(index);
    }
    return Method::other;
}

bool MethodSet::add(std::string_view name) {
    const Method method = method_from(name);
    if (!is_token(name) || name.size() > method_size_limit || method == Method::connect) {
        return false;
    }
    if (takes_all() || !contains(method, name)) names_.emplace_back(name);
    known_ |= bit_of(method);
    return true;
}

bool MethodSet::contains(Method method, std::string_view name) const noexcept {
    if (takes_all()) return true;
    if (method != Method::other) return (known_ & bit_of(method)) != 0;
    return std::ranges::find(names_, name) != names_.end();
}

bool MethodSet::overlaps(const MethodSet& other) const noexcept {
    if (takes_all() || other.takes_all()) return takes_all() == other.takes_all();
    return std::ranges::any_of(names_, [&other](const std::string& name) {
        return other.contains(method_from(name), name);
    });
}

std::string MethodSet::text() const {
    std::string text;
    for (const std::string& name : names_) {
        if (!text.empty()) text += ',';
        text += name;
    }
    return text;
}

std::expected<MethodSet, std::string_view> parse_method_list(std::string_view text) {
    MethodSet methods;
    while (true) {
        const std::size_t comma = text.find(',');
        const std::string_view element = text.substr(0, comma);
        if (!methods.add(element)) return std::unexpected(element);
        if (comma == std::string_view::npos) return methods;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace baton::http
