#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace baton::admin {

/// One label of a sample. The value may be any text; it is escaped.
struct MetricLabel {
    std::string_view name;
    std::string_view value;
};
using MetricLabels = std::initializer_list<MetricLabel>;

/// How many observations did not exceed `upper_bound` (which is in the family's unit), those of all
/// smaller buckets included.
struct MetricBucket {
    double upper_bound;
    std::uint64_t count;
};

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

/// Composes what Prometheus scrapes: families, each with its samples behind it.
///
///     MetricsText text;
///     text.family(MetricKind::counter, "baton_requests_total", "Requests by service and
///     outcome."); text.sample({{"service", "echo"}, {"outcome", "done"}}, std::uint64_t{17});
///     return std::move(text).take();
///
/// Names and label names are the caller's constants: wrong ones, samples outside a family, or those
/// that the family's kind does not have are broken invariants. Label values and help texts are
/// escaped; bytes that are no UTF-8 become `?`, since one of them would spoil the whole scrape.
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
class MetricsText {
public:
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// @param name  a counter's ends in `_total`; each name once
    void family(MetricKind kind, std::string_view name, std::string_view help);

    /// One line of a counter or a gauge.
    void sample(MetricLabels labels, std::uint64_t value);
    void sample(MetricLabels labels, double value);

    /// The lines of one histogram.
    /// @param buckets  by rising bound, without +Inf, counts not falling and not above `count`
    /// @param sum      of all observations, in the family's unit
    void histogram(MetricLabels labels, std::span<const MetricBucket> buckets, std::uint64_t count,
                   double sum);

    [[nodiscard]] std::string take() && { return std::move(text_); }

private:
    void line(std::string_view suffix, MetricLabels labels, std::string_view bound,
              std::string_view value);

    std::string text_;
    std::string name_;  // of the present family
    MetricKind kind_{};
};

}  // namespace baton::admin
