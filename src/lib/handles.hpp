#pragma once

#include <cstddef>
#include <new>
#include <string_view>
#include <type_traits>

#include "baton/baton.h"
#include "lib/failure.hpp"
#include "lib/request.hpp"
#include "lib/worker.hpp"

/// Between the C ABI and the classes behind it: handles are their addresses under another name.
namespace baton::lib {

inline baton_worker_t* handle_of(Worker* worker) noexcept {
    return reinterpret_cast<baton_worker_t*>(worker);
}
inline baton_request_t* handle_of(Request* request) noexcept {
    return reinterpret_cast<baton_request_t*>(request);
}
inline Worker& behind(baton_worker_t* handle) noexcept {
    return *reinterpret_cast<Worker*>(handle);
}
inline const Worker& behind(const baton_worker_t* handle) noexcept {
    return *reinterpret_cast<const Worker*>(handle);
}
inline Request& behind(baton_request_t* handle) noexcept {
    return *reinterpret_cast<Request*>(handle);
}
inline const Request& behind(const baton_request_t* handle) noexcept {
    return *reinterpret_cast<const Request*>(handle);
}

/// What a caller may leave out.
inline std::string_view text_or_nothing(const char* text) noexcept {
    return text == nullptr ? std::string_view{} : text;
}

inline baton_string_t string_of(std::string_view text) noexcept {
    return {text.data() == nullptr ? "" : text.data(), text.size()};
}

/// No exception crosses the C ABI. The only ones there are say that memory or descriptors are
/// short.
template <typename Call>
auto guarded(Call call) noexcept -> std::invoke_result_t<Call> {
    try {
        return call();
    } catch (...) {
        return failure(BATON_E_LIMIT);
    }
}

}  // namespace baton::lib
