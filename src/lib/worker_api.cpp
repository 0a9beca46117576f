#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

#include "baton/baton.h"
#include "core/base/time.hpp"
#include "core/base/version.hpp"
#include "lib/failure.hpp"
#include "lib/handles.hpp"
#include "lib/rendezvous.hpp"
#include "lib/request.hpp"
#include "lib/worker.hpp"

namespace {

using namespace baton;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration usual_request_patience = seconds(30);
constexpr Duration usual_connect_patience = seconds(10);
constexpr std::uint64_t usual_aside_limit = 64 * 1024 * 1024;

/// A caller compiled against an older header knows fewer members: the others are zero.
baton_worker_options_t complete(const baton_worker_options_t* options) {
    baton_worker_options_t all{};
    if (options != nullptr) std::memcpy(&all, options, std::min(options->size, sizeof all));
    all.size = sizeof all;
    return all;
}

lib::Worker::Settings settings_of(const baton_worker_options_t& options, std::uint64_t id) {
    lib::Worker::Settings settings;
    settings.request_patience = usual_request_patience;
    if (options.request_timeout_ms > 0) {
        settings.request_patience = milliseconds(options.request_timeout_ms);
    } else if (options.request_timeout_ms < 0) {
        settings.request_patience = Duration::zero();
    }
    if (options.connect_timeout_ms > 0) {
        settings.connect_patience = milliseconds(options.connect_timeout_ms);
    } else if (id != 0) {
        settings.connect_patience = usual_connect_patience;
    }
    if (options.rest_limit == 0) {
        settings.aside_limit = usual_aside_limit;
    } else if (options.rest_limit > 0) {
        settings.aside_limit = static_cast<std::uint64_t>(options.rest_limit);
    }
    settings.context = options.context;
    settings.on_reinit = options.on_reinit;
    settings.on_status = options.on_status;
    return settings;
}

/// @param find  fills in a lib::Rendezvous
template <typename Find>
int connect(const baton_worker_options_t* options, baton_worker_t** handle, Find find) noexcept {
    return lib::guarded([&]() -> int {
        *handle = nullptr;
        if (options != nullptr && options->size == 0) {
            return lib::failure(BATON_E_INVALID, "the options' size is not set");
        }
        const baton_worker_options_t all = complete(options);
        lib::Rendezvous rendezvous;
        if (const int wrong = find(all, rendezvous); wrong != BATON_OK) return wrong;
        const auto settings = settings_of(all, rendezvous.worker);
        lib::Worker* worker = nullptr;
        const int code = lib::Worker::connect(std::move(rendezvous), settings, worker);
        if (code == BATON_OK) *handle = lib::handle_of(worker);
        return code;
    });
}

int accept(baton_worker_t* worker, int timeout_ms, bool read_head,
           baton_request_t** handle) noexcept {
    return lib::guarded([&] {
        *handle = nullptr;
        lib::Request* request = nullptr;
        const int code = lib::behind(worker).accept(timeout_ms, read_head, request);
        if (code == BATON_OK) *handle = lib::handle_of(request);
        return code;
    });
}

}  // namespace

const char* baton_version(void) noexcept { return baton::version().data(); }

unsigned baton_version_number(void) noexcept { return BATON_VERSION_NUMBER; }

const char* baton_code_text(int code) noexcept { return lib::text_of(code); }

const char* baton_error_text(void) noexcept { return lib::failure_text(); }

int baton_worker_connect(const baton_worker_options_t* options, baton_worker_t** worker) noexcept {
    return connect(options, worker, [](const auto& all, lib::Rendezvous& found) {
        return lib::find_rendezvous(all, found);
    });
}

int baton_worker_connect_arguments(int argc, char* const* argv,
                                   const baton_worker_options_t* options,
                                   baton_worker_t** worker) noexcept {
    return connect(options, worker, [argc, argv](const auto& all, lib::Rendezvous& found) {
        return lib::find_rendezvous(argc, argv, all, found);
    });
}

int baton_worker_fd(const baton_worker_t* worker) noexcept {
    return lib::behind(worker).fd().get();
}

uint64_t baton_worker_id(const baton_worker_t* worker) noexcept { return lib::behind(worker).id(); }

int baton_worker_accept(baton_worker_t* worker, int timeout_ms,
                        baton_request_t** request) noexcept {
    return accept(worker, timeout_ms, true, request);
}

int baton_worker_accept_unread(baton_worker_t* worker, int timeout_ms,
                               baton_request_t** request) noexcept {
    return accept(worker, timeout_ms, false, request);
}

int baton_credit(baton_worker_t* worker, uint32_t count) noexcept {
    return lib::guarded([&] { return lib::behind(worker).credit(count); });
}

int baton_bye(baton_worker_t* worker) noexcept {
    return lib::guarded([&] { return lib::behind(worker).bye(); });
}

void baton_worker_free(baton_worker_t* worker) noexcept {
    if (worker == nullptr) return;
    static_cast<void>(lib::guarded([&]() -> int {
        lib::Worker& object = lib::behind(worker);
        if (object.forked()) {
            object.close_in_child();
        } else {
            object.leave();
        }
        return BATON_OK;
    }));
}
