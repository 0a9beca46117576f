#include "programs/baton/printing.hpp"

#include <cerrno>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/wire/resp.hpp"
#include "io/os/append_file.hpp"
#include "io/os/fd.hpp"
#include "io/os/helper_process.hpp"

namespace baton::tool {
namespace {

/// Binary answers (the block of an attach notification) must not reach a terminal as they are.
std::string printable(const std::string& text) {
    constexpr const char* digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n' || c == '\t' || byte >= 0x20) {
            out += c;
        } else {
            out += "\\x";
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

}  // namespace

bool print(std::string_view text) {
    const auto written = os::write_fully(os::BorrowedFd(1), text);
    if (written) return true;
    if (written.error().os_errno != EPIPE) {
        print_error(fmt::format("baton: the answer cannot be written: {}\n",
                                os::describe_os_error(written.error().os_errno)));
    }
    return false;
}

void print_error(std::string_view text) {
    [[maybe_unused]] const auto written = os::write_fully(os::BorrowedFd(2), text);
}

std::string plain(const wire::RespValue& reply) {
    std::string out;
    if (!reply.items.empty()) {
        for (const auto& item : reply.items) out += plain(item);
        return out;
    }
    // RESP marks errors by a word for programs; people are told what is wrong.
    constexpr std::string_view mark = "ERR ";
    if (reply.is_error() && reply.text.starts_with(mark)) {
        return printable(reply.text.substr(mark.size())) + '\n';
    }
    if (reply.kind == wire::RespValue::Kind::null || reply.text.empty()) return out;
    out = printable(reply.text);
    if (out.back() != '\n') out += '\n';
    return out;
}

}  // namespace baton::tool
