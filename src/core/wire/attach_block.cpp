#include "core/wire/attach_block.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/wire/little_endian.hpp"

namespace baton::wire {
namespace {

static_assert(2 * sizeof(std::uint16_t) + 4 * sizeof(std::uint32_t) + 3 * attach_name_size ==
              attach_block_size);
static_assert(attach_block_size == 116);

bool is_name(std::string_view name) noexcept {
    return name.size() <= attach_name_size && !name.ends_with(' ') &&
           std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
}

void write_name(Writer& out, std::string_view name) noexcept {
    out.text(name);
    out.fill(std::byte{' '}, attach_name_size - name.size());
}

std::string_view read_name(Reader& in) noexcept {
    const std::string_view padded = in.text(attach_name_size);
    return padded.substr(0, padded.find_last_not_of(' ') + 1);
}

}  // namespace

std::optional<AttachBlockBytes> encode(const AttachBlock& block) noexcept {
    if (!is_name(block.server_class) || !is_name(block.server_name) || !is_name(block.service)) {
        return std::nullopt;
    }
    AttachBlockBytes bytes{};
    Writer out(bytes.data());
    out.number(attach_block_version);
    out.number(std::uint16_t{0});
    out.number(block.attach_count);
    out.number(block.server_count);
    out.number(block.pending_count);
    out.number(block.active_count);
    write_name(out, block.server_class);
    write_name(out, block.server_name);
    write_name(out, block.service);
    return bytes;
}

Result<AttachBlock> decode_attach_block(std::span<const std::byte> bytes) {
    Reader in(bytes);
    const auto version = in.number<std::uint16_t>();
    [[maybe_unused]] const auto not_used = in.number<std::uint16_t>();
    AttachBlock block;
    block.attach_count = in.number<std::uint32_t>();
    block.server_count = in.number<std::uint32_t>();
    block.pending_count = in.number<std::uint32_t>();
    block.active_count = in.number<std::uint32_t>();
    const std::string_view server_class = read_name(in);
    const std::string_view server_name = read_name(in);
    const std::string_view service = read_name(in);
    if (in.failed() || version != attach_block_version || !is_name(server_class) ||
        !is_name(server_name) || !is_name(service)) {
        return fail(Errc::corrupt);
    }
    block.server_class = server_class;
    block.server_name = server_name;
    block.service = service;
    return block;
}

}  // namespace baton::wire
