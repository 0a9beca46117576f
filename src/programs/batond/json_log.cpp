#include "programs/batond/json_log.hpp"

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>

#include "core/base/utf8.hpp"
#include "core/http/response.hpp"

namespace baton::daemon {
namespace {

/// The message as a JSON string: paths and other people's words may hold anything.
class JsonMessage final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
                spdlog::memory_buf_t& destination) override {
        std::string text;
        http::append_json_string(
            text, well_formed_utf8({message.payload.data(), message.payload.size()}));
        destination.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return spdlog::details::make_unique<JsonMessage>();
    }
};

}  // namespace

std::unique_ptr<spdlog::formatter> json_log_formatter() {
    auto formatter =
        spdlog::details::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<JsonMessage>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","program":"%n","pid":%P,"message":%*})");
    return formatter;
}

}  // namespace baton::daemon
