#include "core/command/aci.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "core/command/names.hpp"
#include "core/command/nearest.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

/// Fields of the ancestor's control block. What has no meaning here is taken and not looked at, so
/// that calls written for the ancestor need no change.
constexpr std::array<std::string_view, 18> known_fields{
    "API-TYPE",    "API-VERSION",    "BROKER-ID", "CLIENT-ID", "CONVID",      "CONV-ID",
    "ENVIRONMENT", "ERRTEXT-LENGTH", "OPTION",    "PASSWORD",  "SERVICE",     "SERVER-CLASS",
    "SERVER-NAME", "TOKEN",          "USER-ID",   "WAIT",      "SEND-LENGTH", "RECEIVE-LENGTH"};

std::string upper_case(std::string_view text) {
    std::string upper(text);
    for (char& letter : upper) {
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    }
    return upper;
}

Answer<> take_field(std::string_view piece, AciFields& fields) {
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return refuse(fmt::format("'{}' is no KEY=VALUE", piece));
    }
    const std::string key = upper_case(piece.substr(0, equals));
    if (std::ranges::find(known_fields, key) == known_fields.end()) {
        const std::string_view best = nearest(key, known_fields);
        return refuse(fmt::format("unknown field {}", key),
                      best.empty() ? "" : fmt::format("did you mean {}?", best));
    }
    if (!fields.emplace(key, piece.substr(equals + 1)).second) {
        return refuse(fmt::format("{} is given twice", key));
    }
    return {};
}

std::string value_of(const AciFields& fields, std::string_view key) {
    const auto found = fields.find(key);
    return found == fields.end() || found->second.empty() ? "*" : found->second;
}

bool name_matches(std::string_view pattern, std::string_view name) {
    return pattern == "*" || pattern == name;
}

}  // namespace

Answer<AciFields> parse_aci_fields(std::span<const std::string> words) {
    AciFields fields;
    for (std::string_view rest : words) {
        while (!rest.empty()) {
            const std::size_t size = std::min(rest.find(','), rest.size());
            if (size > 0) {
                if (auto taken = take_field(rest.substr(0, size), fields); !taken) {
                    return std::unexpected(std::move(taken).error());
                }
            }
            rest.remove_prefix(std::min(rest.size(), size + 1));
        }
    }
    return fields;
}

std::string AciName::text() const {
    return canonical_service_name(fmt::format("{}/{}/{}", server_class, server_name, service));
}

bool AciName::matches(const AciName& name) const {
    return name_matches(server_class, name.server_class) &&
           name_matches(server_name, name.server_name) && name_matches(service, name.service);
}

bool AciName::has_wildcard() const {
    const bool alone = server_class == "*" && server_name == "*";
    return service == "*" || (!alone && (server_class == "*" || server_name == "*"));
}

AciName aci_name_of(const AciFields& fields) {
    return {value_of(fields, "SERVER-CLASS"), value_of(fields, "SERVER-NAME"),
            value_of(fields, "SERVICE")};
}

AciName aci_name_of(std::string_view service) {
    const std::size_t first = service.find('/');
    const std::size_t second =
        first == std::string_view::npos ? first : service.find('/', first + 1);
    if (second == std::string_view::npos) return {"*", "*", std::string(service)};
    return {std::string(service.substr(0, first)),
            std::string(service.substr(first + 1, second - first - 1)),
            std::string(service.substr(second + 1))};
}

Answer<AciWait> parse_aci_wait(const AciFields& fields) {
    const auto found = fields.find("WAIT");
    if (found == fields.end() || equal_ignoring_case(found->second, "NO")) {
        return AciWait{Duration::zero()};
    }
    if (equal_ignoring_case(found->second, "YES")) return AciWait{};
    if (const auto limit = parse_duration(found->second)) return AciWait{limit};
    return refuse(fmt::format("WAIT={} is no time", found->second), "NO, YES, 30S, 10M or 1H");
}

}  // namespace baton::command
