#include "core/base/check.hpp"

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace baton {

void assertion_failed(const char* condition, std::source_location where) noexcept {
    std::fprintf(stderr, "baton: broken invariant: %s\n  in %s\n  at %s:%u\n", condition,
                 where.function_name(), where.file_name(), where.line());
    std::abort();
}

}  // namespace baton
