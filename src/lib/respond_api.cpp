#include <cstddef>
#include <cstdint>
#include <string_view>

#include "baton/baton.h"
#include "io/os/fd.hpp"
#include "lib/handles.hpp"
#include "lib/request.hpp"

namespace {

using baton::lib::behind;
using baton::lib::guarded;
using baton::lib::text_or_nothing;

std::string_view bytes(const void* data, std::size_t size) noexcept {
    return {static_cast<const char*>(data), size};
}

}  // namespace

int baton_respond_header(baton_request_t* request, const char* name, const char* value) noexcept {
    return guarded([&] { return behind(request).respond_header(name, value); });
}

int baton_respond_close(baton_request_t* request) noexcept {
    return guarded([&] { return behind(request).respond_close(); });
}

int baton_respond(baton_request_t* request, int status, const char* content_type, const void* body,
                  size_t size) noexcept {
    return guarded([&] {
        return behind(request).respond(status, text_or_nothing(content_type), bytes(body, size));
    });
}

int baton_respond_file(baton_request_t* request, int status, const char* content_type, int file,
                       uint64_t offset, uint64_t size) noexcept {
    return guarded([&] {
        return behind(request).respond_file(status, text_or_nothing(content_type),
                                            baton::os::BorrowedFd(file), offset, size);
    });
}

int baton_respond_begin(baton_request_t* request, int status, const char* content_type,
                        int64_t content_length) noexcept {
    return guarded([&] {
        return behind(request).respond_begin(status, text_or_nothing(content_type), content_length);
    });
}

int baton_respond_write(baton_request_t* request, const void* data, size_t size) noexcept {
    return guarded([&] { return behind(request).respond_write(bytes(data, size)); });
}

int baton_respond_end(baton_request_t* request) noexcept {
    return guarded([&] { return behind(request).respond_end(); });
}

int baton_respond_flush(baton_request_t* request) noexcept {
    return guarded([&] { return behind(request).respond_flush(); });
}

int baton_respond_put_aside(baton_request_t* request) noexcept {
    return guarded([&] { return behind(request).respond_put_aside(); });
}

int baton_respond_upgrade(baton_request_t* request, const char* protocol) noexcept {
    return guarded([&] { return behind(request).respond_upgrade(protocol); });
}
