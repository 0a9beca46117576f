#include "io/admin/metrics_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "core/base/utf8.hpp"

namespace baton::admin {
namespace {

constexpr bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool is_name(std::string_view text) {
    return !text.empty() && is_name_start(text.front()) && std::ranges::all_of(text, [](char c) {
        return is_name_start(c) || (c >= '0' && c <= '9');
    });
}

std::string_view word(MetricKind kind) {
    switch (kind) {
        case MetricKind::counter: return "counter";
        case MetricKind::gauge: return "gauge";
        case MetricKind::histogram: return "histogram";
    }
    return "untyped";
}

/// Help texts know `\\` and `\n`, label values `\"` as well.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
    while (!text.empty()) {
        const auto size = utf8_size(text);
        if (size == 0) {
            out += '?';
        } else if (text.front() == '\\') {
            out += "\\\\";
        } else if (text.front() == '\n') {
            out += "\\n";
        } else if (text.front() == '"' && quotes) {
            out += "\\\"";
        } else {
            out += text.substr(0, size);
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
}

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

}  // namespace

void MetricsText::family(MetricKind kind, std::string_view name, std::string_view help) {
    BATON_ASSERT(is_name(name));
    BATON_ASSERT(name.ends_with("_total") == (kind == MetricKind::counter));
    name_ = name;
    kind_ = kind;
    text_.append("# HELP ").append(name).append(" ");
    append_escaped(text_, help, false);
    text_.append("\n# TYPE ").append(name).append(" ").append(word(kind)).append("\n");
}

void MetricsText::sample(MetricLabels labels, std::uint64_t value) {
    BATON_ASSERT(kind_ != MetricKind::histogram);
    line("", labels, "", fmt::format("{}", value));
}

void MetricsText::sample(MetricLabels labels, double value) {
    BATON_ASSERT(kind_ != MetricKind::histogram);
    line("", labels, "", number(value));
}

void MetricsText::histogram(MetricLabels labels, std::span<const MetricBucket> buckets,
                            std::uint64_t count, double sum) {
    BATON_ASSERT(kind_ == MetricKind::histogram);
    MetricBucket last{-INFINITY, 0};
    for (const auto& bucket : buckets) {
        BATON_ASSERT(bucket.upper_bound > last.upper_bound && bucket.count >= last.count);
        line("_bucket", labels, number(bucket.upper_bound), fmt::format("{}", bucket.count));
        last = bucket;
    }
    BATON_ASSERT(count >= last.count);
    line("_bucket", labels, "+Inf", fmt::format("{}", count));
    line("_sum", labels, "", number(sum));
    line("_count", labels, "", fmt::format("{}", count));
}

void MetricsText::line(std::string_view suffix, MetricLabels labels, std::string_view bound,
                       std::string_view value) {
    BATON_ASSERT(!name_.empty());
    text_.append(name_).append(suffix);
    char separator = '{';
    const auto add = [&](std::string_view name, std::string_view text) {
        text_ += separator;
        text_.append(name).append("=\"");
        append_escaped(text_, text, true);
        text_ += '"';
        separator = ',';
    };
    for (const auto& label : labels) {
        BATON_ASSERT(is_name(label.name) && label.name != "le");
        add(label.name, label.value);
    }
    if (!bound.empty()) add("le", bound);
    if (separator == ',') text_ += '}';
    text_.append(" ").append(value).append("\n");
}

}  // namespace baton::admin
