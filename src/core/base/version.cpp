#include "core/base/version.hpp"

#include <string_view>

namespace baton {

std::string_view version() noexcept { return BATON_VERSION; }

}  // namespace baton
