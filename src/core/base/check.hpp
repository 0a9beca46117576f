#pragma once

#include <source_location>

namespace baton {

/// Prints the broken condition with its place to standard error and aborts (a core is wanted: the
/// state is no longer what the code was written for).
[[noreturn]] void assertion_failed(const char* condition, std::source_location where) noexcept;

}  // namespace baton

/// A broken invariant is a bug, never input: on in every build.
#define BATON_ASSERT(condition)         \
    ((condition) ? static_cast<void>(0) \
                 : ::baton::assertion_failed(#condition, std::source_location::current()))
