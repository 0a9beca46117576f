#pragma once

#include <string_view>

namespace baton {

/// Version of this build, as `project(VERSION)` in CMakeLists.txt says: "0.1.0".
[[nodiscard]] std::string_view version() noexcept;

}  // namespace baton
