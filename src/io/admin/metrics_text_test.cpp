#include "io/admin/metrics_text.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A reader of the text format 0.0.4, written from its description and as strict as promtool about
/// what concerns us: order, escapes, cumulative buckets.
class Scrape {
public:
    struct Sample {
        std::string name;
        std::vector<std::pair<std::string, std::string>> labels;
        double value = 0;
    };

    explicit Scrape(std::string_view text) {
        EXPECT_TRUE(text.empty() || text.ends_with('\n'));
        while (!text.empty()) {
            const auto end = text.find('\n');
            take_line(text.substr(0, end));
            text.remove_prefix(end + 1);
        }
        check_histograms();
    }

    std::vector<Sample> samples;
    std::map<std::string, std::string> types;

private:
    void take_line(std::string_view line) {
        if (line.starts_with("# HELP ")) {
            const auto name = word(line.substr(7));
            EXPECT_TRUE(families_.insert(std::string(name)).second) << "family twice: " << name;
            present_ = name;
        } else if (line.starts_with("# TYPE ")) {
            const auto name = word(line.substr(7));
            EXPECT_EQ(name, present_) << "TYPE is not behind HELP";
            types[std::string(name)] = line.substr(7 + name.size() + 1);
        } else {
            take_sample(line);
        }
    }

    void take_sample(std::string_view line) {
        Sample sample;
        const auto name_end = line.find_first_of("{ ");
        ASSERT_NE(name_end, std::string_view::npos) << line;
        sample.name = line.substr(0, name_end);
        line.remove_prefix(name_end);
        if (line.front() == '{') {
            do {
                line.remove_prefix(1);
                const auto equals = line.find("=\"");
                ASSERT_NE(equals, std::string_view::npos) << line;
                const std::string name(line.substr(0, equals));
                line.remove_prefix(equals + 2);
                const auto value = take_quoted(line);
                ASSERT_TRUE(value) << "label of " << sample.name;
                sample.labels.emplace_back(name, *value);
            } while (!line.empty() && line.front() == ',');
            ASSERT_TRUE(line.starts_with("} ")) << line;
            line.remove_prefix(1);
        }
        ASSERT_EQ(line.front(), ' ');
        const std::string number(line.substr(1));
        std::size_t used = 0;
        sample.value =
            number == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(number, &used);
        EXPECT_TRUE(number == "+Inf" || used == number.size()) << number;
        const bool histogram = types[present_] == "histogram";
        EXPECT_TRUE(sample.name == present_ || (histogram && (sample.name == present_ + "_bucket" ||
                                                              sample.name == present_ + "_sum" ||
                                                              sample.name == present_ + "_count")))
            << sample.name << " in family " << present_;
        auto key = sample.name;
        for (const auto& [name, value] : sample.labels) key += "\x01" + name + "\x02" + value;
        EXPECT_TRUE(series_.insert(key).second) << "series twice: " << sample.name;
        samples.push_back(std::move(sample));
    }

    static std::string_view word(std::string_view text) { return text.substr(0, text.find(' ')); }

    /// Takes a quoted value up to behind its closing quote.
    static std::optional<std::string> take_quoted(std::string_view& text) {
        std::string value;
        while (!text.empty()) {
            const char c = text.front();
            text.remove_prefix(1);
            if (c == '"') return value;
            if (c != '\\') {
                value += c;
                continue;
            }
            if (text.empty()) return std::nullopt;
            if (text.front() == 'n') {
                value += '\n';
            } else if (text.front() == '\\' || text.front() == '"') {
                value += text.front();
            } else {
                return std::nullopt;
            }
            text.remove_prefix(1);
        }
        return std::nullopt;
    }

    void check_histograms() const {
        double last = 0;
        for (const auto& sample : samples) {
            if (sample.name.ends_with("_bucket")) {
                EXPECT_GE(sample.value, last) << sample.name;
                last = sample.value;
            } else if (sample.name.ends_with("_count")) {
                EXPECT_EQ(sample.value, last) << "count is not the bucket of +Inf";
            } else if (!sample.name.ends_with("_sum")) {
                last = 0;
            }
            if (sample.name.ends_with("_count")) last = 0;
        }
    }

    std::set<std::string> families_;
    std::set<std::string> series_;
    std::string present_;
};

TEST(MetricsText, AFamilySaysWhatItIsBeforeItsSamples) {
    MetricsText text;
    text.family(MetricKind::counter, "baton_requests_total", "Requests by outcome.");
    text.sample({{"service", "echo"}, {"outcome", "done"}}, std::uint64_t{17});
    text.family(MetricKind::gauge, "baton_connections", "Clients.");
    text.sample({}, std::uint64_t{3});
    EXPECT_EQ(std::move(text).take(),
              "# HELP baton_requests_total Requests by outcome.\n"
              "# TYPE baton_requests_total counter\n"
              "baton_requests_total{service=\"echo\",outcome=\"done\"} 17\n"
              "# HELP baton_connections Clients.\n"
              "# TYPE baton_connections gauge\n"
              "baton_connections 3\n");
}

TEST(MetricsText, AReaderGetsBackEveryLabelAsItWas) {
    const std::string value = "a\\b\"c\nd\tü{},=";
    MetricsText text;
    text.family(MetricKind::gauge, "baton_x", "With \\ and\na break.");
    text.sample({{"name", value}, {"other", ""}}, 0.25);
    const auto rendered = std::move(text).take();
    EXPECT_THAT(rendered, HasSubstr("# HELP baton_x With \\\\ and\\na break.\n"));
    const Scrape scrape(rendered);
    ASSERT_EQ(scrape.samples.size(), 1U);
    EXPECT_THAT(scrape.samples[0].labels,
                ElementsAre(std::pair{"name", value}, std::pair{"other", ""}));
    EXPECT_EQ(scrape.samples[0].value, 0.25);
}

TEST(MetricsText, BytesThatAreNoUtf8CannotSpoilTheScrape) {
    MetricsText text;
    text.family(MetricKind::gauge, "baton_x", "x");
    // A lone continuation, an overlong '/', a surrogate, one cut off; and a good one of four bytes.
    text.sample({{"name", "a\x80 \xC0\xAF \xED\xA0\x80 \xF0\x9F\x8E\x81 \xE2\x82"}}, 1.0);
    const Scrape scrape(std::move(text).take());
    EXPECT_EQ(scrape.samples.at(0).labels.at(0).second, "a? ?? ??? \xF0\x9F\x8E\x81 ??");
}

TEST(MetricsText, BucketsAreCumulativeAndEndWithInfinity) {
    const std::array buckets{MetricBucket{0.005, 2}, MetricBucket{0.01, 2}, MetricBucket{2.5, 7}};
    MetricsText text;
    text.family(MetricKind::histogram, "baton_response_seconds", "Time.");
    text.histogram({{"service", "echo"}}, buckets, 9, 12.5);
    const auto rendered = std::move(text).take();
    EXPECT_EQ(rendered,
              "# HELP baton_response_seconds Time.\n"
              "# TYPE baton_response_seconds histogram\n"
              "baton_response_seconds_bucket{service=\"echo\",le=\"0.005\"} 2\n"
              "baton_response_seconds_bucket{service=\"echo\",le=\"0.01\"} 2\n"
              "baton_response_seconds_bucket{service=\"echo\",le=\"2.5\"} 7\n"
              "baton_response_seconds_bucket{service=\"echo\",le=\"+Inf\"} 9\n"
              "baton_response_seconds_sum{service=\"echo\"} 12.5\n"
              "baton_response_seconds_count{service=\"echo\"} 9\n");
    EXPECT_EQ(Scrape(rendered).types.at("baton_response_seconds"), "histogram");
}

TEST(MetricsText, NumbersThatAreNoneAreSpelledAsTheFormatWants) {
    MetricsText text;
    text.family(MetricKind::gauge, "baton_x", "x");
    text.sample({{"n", "1"}}, std::numeric_limits<double>::infinity());
    text.sample({{"n", "2"}}, -std::numeric_limits<double>::infinity());
    text.sample({{"n", "3"}}, std::numeric_limits<double>::quiet_NaN());
    text.sample({{"n", "4"}}, 1e-7);
    const auto rendered = std::move(text).take();
    EXPECT_THAT(rendered, HasSubstr("{n=\"1\"} +Inf\n"));
    EXPECT_THAT(rendered, HasSubstr("{n=\"2\"} -Inf\n"));
    EXPECT_THAT(rendered, HasSubstr("{n=\"3\"} NaN\n"));
    EXPECT_THAT(rendered, HasSubstr("{n=\"4\"} 1e-07\n"));
}

TEST(MetricsTextDeath, WhatNoScraperCouldReadIsABrokenInvariant) {
    MetricsText text;
    EXPECT_DEATH(text.family(MetricKind::gauge, "baton-x", "x"), "invariant");
    EXPECT_DEATH(text.family(MetricKind::counter, "baton_x", "x"), "invariant");
    EXPECT_DEATH(text.sample({}, 1.0), "invariant");
    text.family(MetricKind::histogram, "baton_x", "x");
    EXPECT_DEATH(text.sample({}, 1.0), "invariant");
    const std::array falling{MetricBucket{1, 2}, MetricBucket{2, 1}};
    EXPECT_DEATH(text.histogram({}, falling, 2, 1), "invariant");
}

}  // namespace
}  // namespace baton::admin
