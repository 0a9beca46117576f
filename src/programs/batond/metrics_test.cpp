#include "programs/batond/metrics.hpp"

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "programs/batond/refusal_counts.hpp"
#include "programs/batond/registry.hpp"

namespace baton::daemon {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ServiceFigures thumbs() {
    ServiceFigures figures;
    figures.view.id = ServiceId{2};
    figures.view.name = "thumbs";
    figures.view.transactions = 17;
    figures.view.refused = 3;
    figures.view.waiting = 5;
    figures.view.idle = 1;
    figures.view.busy = 4;
    figures.view.restarts = 2;
    for (const int took : {3, 40, 90'000}) figures.response_times.record(milliseconds(took));
    return figures;
}

std::string render(const DaemonFigures& daemon) {
    return render_metrics(daemon, std::vector{thumbs()});
}

TEST(Metrics, EachFigureOfAServiceHasItsLine) {
    const auto text = render({});
    for (const auto* line : {
             "\nbaton_requests_total{service=\"thumbs\",outcome=\"answered\"} 17\n",
             "\nbaton_requests_total{service=\"thumbs\",outcome=\"refused\"} 3\n",
             "\nbaton_requests_total{service=\"thumbs\",outcome=\"cancelled\"} 0\n",
             "\nbaton_queue_length{service=\"thumbs\"} 5\n",
             "\nbaton_workers{service=\"thumbs\",queue=\"lazy\"} 0\n",
             "\nbaton_workers{service=\"thumbs\",queue=\"idle\"} 1\n",
             "\nbaton_workers{service=\"thumbs\",queue=\"busy\"} 4\n",
             "\nbaton_worker_restarts_total{service=\"thumbs\"} 2\n",
         }) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

TEST(Metrics, TimesAreSecondsAndThoseBeyondTheLastBoundAreCounted) {
    const auto text = render({});
    EXPECT_THAT(
        text,
        AllOf(HasSubstr("baton_response_seconds_bucket{service=\"thumbs\",le=\"0.0025\"} 0\n"),
              HasSubstr("baton_response_seconds_bucket{service=\"thumbs\",le=\"0.005\"} 1\n"),
              HasSubstr("baton_response_seconds_bucket{service=\"thumbs\",le=\"0.05\"} 2\n"),
              HasSubstr("baton_response_seconds_bucket{service=\"thumbs\",le=\"60\"} 2\n"),
              HasSubstr("baton_response_seconds_bucket{service=\"thumbs\",le=\"+Inf\"} 3\n"),
              HasSubstr("baton_response_seconds_sum{service=\"thumbs\"} 90.043\n"),
              HasSubstr("baton_queue_seconds_count{service=\"thumbs\"} 0\n")));
}

TEST(Metrics, RefusalsNameServiceAndReason) {
    RefusalCounts counts;
    counts.count(ServiceId{2}, Errc::queue_full);
    counts.count(ServiceId{2}, Errc::queue_full);
    counts.count(ServiceId::none, Errc::bare_line_break);
    counts.count(ServiceId{9}, Errc::queue_full);  // deleted meanwhile
    const auto text = render({.refusals = counts.rows()});
    EXPECT_THAT(text,
                HasSubstr("baton_refused_total{service=\"thumbs\",reason=\"queue_full\"} 2\n"));
    EXPECT_THAT(text,
                HasSubstr("baton_refused_total{service=\"\",reason=\"bare_line_break\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("reason=\"queue_full\"} 1\n")));
}

TEST(Metrics, TheDaemonShowsItself) {
    const auto text = render({.version = "0.1.0",
                              .uptime = milliseconds(1500),
                              .http_connections = 12,
                              .command_connections = 2,
                              .log_lines_dropped = 7});
    EXPECT_THAT(text, AllOf(HasSubstr("baton_connections{kind=\"http\"} 12\n"),
                            HasSubstr("baton_connections{kind=\"command\"} 2\n"),
                            HasSubstr("baton_log_lines_dropped_total 7\n"),
                            HasSubstr("baton_uptime_seconds 1.5\n"),
                            HasSubstr("baton_build_info{version=\"0.1.0\"} 1\n")));
}

TEST(Metrics, FiguresAreGatheredFromEveryServiceButTheOperators) {
    Registry registry(1);
    ASSERT_TRUE(registry.add_service("op", {}, ServiceId::none));
    ASSERT_TRUE(registry.add_service("thumbs", {}, ServiceId::none));
    ASSERT_TRUE(registry.add_service("pages", {}, ServiceId::none));
    std::set<std::string> names;
    for (const auto& figures : gather_figures(registry, Instant{})) names.insert(figures.view.name);
    EXPECT_EQ(names, (std::set<std::string>{"pages", "thumbs"}));
}

}  // namespace
}  // namespace baton::daemon
