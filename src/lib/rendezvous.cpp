#include "lib/rendezvous.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "baton/baton.h"
#include "core/wire/worker_link.hpp"
#include "lib/failure.hpp"

namespace baton::lib {
namespace {

/// What the environment, or an argument, says; empty when it says nothing.
std::string_view environment(const char* name) {
    // Read once, before the worker begins its work; the library never changes it.
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::string_view{} : value;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

int take_id(std::string_view text, std::string_view name, Rendezvous& found) {
    if (text.empty() || read_number(text, found.worker)) return BATON_OK;
    return failure(BATON_E_INVALID, name, text);
}

int take_slots(const baton_worker_options_t& options, Rendezvous& found) {
    const std::string_view text = environment("BATON_SLOTS");
    found.slots = options.slots;
    if (options.slots == 0 && (text.empty() || !read_number(text, found.slots))) found.slots = 1;
    if (found.slots >= 1 && found.slots <= BATON_SLOTS_LIMIT) return BATON_OK;
    return failure(BATON_E_INVALID, "the number of slots is from 1 to 65536");
}

int check(const Rendezvous& found) {
    if (found.socket_path.empty()) {
        return failure(BATON_E_INVALID,
                       "no socket of batond's is known: set BATON_WORKER_SOCKET, or pass its path");
    }
    if (found.service.empty()) {
        return failure(BATON_E_INVALID, "no service is known: set BATON_SERVICE, or pass its name");
    }
    if (found.service.size() > wire::service_name_limit) {
        return failure(BATON_E_INVALID, "the service's name has more than 98 characters");
    }
    return BATON_OK;
}

}  // namespace

int find_rendezvous(const baton_worker_options_t& options, Rendezvous& found) {
    const bool all_from_environment = options.socket_path == nullptr && options.service == nullptr;
    found.socket_path = options.socket_path != nullptr ? std::string_view(options.socket_path)
                                                       : environment("BATON_WORKER_SOCKET");
    found.service = options.service != nullptr ? std::string_view(options.service)
                                               : environment("BATON_SERVICE");
    found.worker = options.worker_id;
    if (options.worker_id == 0 && all_from_environment) {
        const int wrong =
            take_id(environment("BATON_WORKER_ID"), "BATON_WORKER_ID is no id", found);
        if (wrong != BATON_OK) return wrong;
    }
    if (const int wrong = take_slots(options, found); wrong != BATON_OK) return wrong;
    return check(found);
}

int find_rendezvous(int argc, char* const* argv, const baton_worker_options_t& options,
                    Rendezvous& found) {
    if (argc < ISDARGMAZ) {
        return failure(BATON_E_INVALID,
                       "the first arguments must be a socket, a worker's id and a service: is "
                       "argv=isectd set for this worker?");
    }
    found.socket_path = options.socket_path != nullptr ? options.socket_path : argv[1];
    found.service = options.service != nullptr ? options.service : argv[3];
    found.worker = options.worker_id;
    if (options.worker_id == 0) {
        const int wrong = take_id(argv[2], "the second argument is no worker's id", found);
        if (wrong != BATON_OK) return wrong;
    }
    if (const int wrong = take_slots(options, found); wrong != BATON_OK) return wrong;
    return check(found);
}

}  // namespace baton::lib
