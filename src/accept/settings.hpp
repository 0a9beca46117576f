#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/wire/worker_link.hpp"

namespace baton::accept {

/// What the environment says: where batond is to be met, as what, and which listener is meant.
/// Fixed memory: nothing here may be allocated in a process that belongs to somebody else.
struct Settings {
    /// What sun_path of unix(7) holds, less its terminating zero.
    static constexpr std::size_t path_limit = 107;
    static constexpr std::uint32_t slots_limit = 65'536;

    char socket_path[path_limit + 1] = {};  ///< terminated by a zero
    std::size_t socket_path_size = 0;
    char service_name[wire::service_name_limit] = {};
    std::size_t service_name_size = 0;
    std::uint64_t worker = 0;  ///< BATON_WORKER_ID; 0: each process registers by itself
    std::uint32_t slots = 1;   ///< open connections of each process
    std::uint16_t port = 0;    ///< BATON_ACCEPT_PORT; 0: the first TCP listener

    [[nodiscard]] std::string_view service() const noexcept {
        return {service_name, service_name_size};
    }
};

/// The values of the variables, empty where there is none.
struct Variables {
    std::string_view worker_socket{};  ///< BATON_WORKER_SOCKET, with or without `unix:`
    std::string_view service{};        ///< BATON_SERVICE
    std::string_view worker_id{};      ///< BATON_WORKER_ID
    std::string_view slots{};          ///< BATON_SLOTS
    std::string_view port{};           ///< BATON_ACCEPT_PORT
};

/// @param settings  filled in unless something is wrong
/// @return empty, or what is wrong and what would be right, for standard error
[[nodiscard]] std::string_view read_settings(const Variables& variables,
                                             Settings& settings) noexcept;

}  // namespace baton::accept
