#include "io/admin/command_pages.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "io/admin/metrics_text.hpp"
#include "io/admin/pages.hpp"

namespace baton::admin {
namespace {

struct JsonPage {
    std::string_view path;
    std::string_view command;
};

constexpr std::array json_pages{
    JsonPage{"/json/services", "services"},
    JsonPage{"/json/workers", "workers"},
    JsonPage{"/json/clients", "clients"},
    JsonPage{"/json/status", "status"},
};

std::string start_page() {
    std::string text = "Baton's admin listener. There is:\n\n/metrics\n";
    for (const auto& page : json_pages) text.append(page.path).append("\n");
    return text;
}

}  // namespace

CommandPages::CommandPages(Metrics metrics, Json json)
    : metrics_(std::move(metrics)), json_(std::move(json)) {}

Page CommandPages::get(std::string_view path, std::string_view /*query*/) {
    if (path == "/") return {.body = start_page()};
    if (path == "/metrics") {
        return {.content_type = std::string(MetricsText::content_type), .body = metrics_()};
    }
    const auto* const page = std::ranges::find(json_pages, path, &JsonPage::path);
    if (page == json_pages.end()) return {.status = 404, .body = "There is no such page; see /\n"};
    return {.content_type = "application/json", .body = json_(page->command) + "\n"};
}

}  // namespace baton::admin
