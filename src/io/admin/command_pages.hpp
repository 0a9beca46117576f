#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "io/admin/pages.hpp"

namespace baton::admin {

/// The daemon's own pages: `/metrics`, and answers of JSON commands at `/json/services`,
/// `/json/workers`, `/json/clients`, `/json/status` (which are those of the console). `/` lists
/// them.
///
/// The paths are a fixed list: nothing of a request becomes part of a command.
class CommandPages final : public AdminPages {
public:
    /// The text of `/metrics`.
    using Metrics = std::function<std::string()>;
    /// The answer of a command without its `json`, as JSON text.
    using Json = std::function<std::string(std::string_view command)>;

    CommandPages(Metrics metrics, Json json);

    [[nodiscard]] Page get(std::string_view path, std::string_view query) override;

private:
    Metrics metrics_;
    Json json_;
};

}  // namespace baton::admin
