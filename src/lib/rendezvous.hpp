#pragma once

#include <cstdint>
#include <string>

#include "baton/baton.h"

namespace baton::lib {

/// Where batond is to be met, and as what.
struct Rendezvous {
    std::string socket_path;
    std::string service;
    std::uint64_t worker = 0;  ///< 0: registers by itself
    std::uint32_t slots = 1;
};

/// Puts together what the options say and, for the rest, the environment (BATON_WORKER_SOCKET,
/// BATON_WORKER_ID, BATON_SERVICE, BATON_SLOTS).
///
/// @param found  filled in when it returns BATON_OK
/// @return BATON_E_INVALID, with a text that says what is missing or wrong
int find_rendezvous(const baton_worker_options_t& options, Rendezvous& found);

/// The same with what stands in argv[1] to argv[3] before the environment.
int find_rendezvous(int argc, char* const* argv, const baton_worker_options_t& options,
                    Rendezvous& found);

}  // namespace baton::lib
