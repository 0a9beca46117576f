#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

/// Numbers and texts as they stand on a wire: little-endian, without alignment.
namespace baton::wire {

/// @return `value` with its bytes in the wire's order; applied twice, itself again
template <std::unsigned_integral Number>
[[nodiscard]] constexpr Number little_endian(Number value) noexcept {
    if constexpr (std::endian::native == std::endian::big) return std::byteswap(value);
    return value;
}

/// Writes into memory whose size the caller has checked.
class Writer {
public:
    explicit Writer(std::byte* at) noexcept : at_(at) {}

    template <std::unsigned_integral Number>
    void number(Number value) noexcept {
        const Number bytes = little_endian(value);
        std::memcpy(at_, &bytes, sizeof bytes);
        at_ += sizeof bytes;
    }

    void text(std::string_view value) noexcept {
        if (!value.empty()) std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }

    void fill(std::byte value, std::size_t size) noexcept {
        std::memset(at_, static_cast<int>(value), size);
        at_ += size;
    }

private:
    std::byte* at_;
};

/// Reads as far as the bytes reach. What lies beyond is zero or empty and makes it fail, so that
/// one question at the end is enough.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}

    template <std::unsigned_integral Number>
    [[nodiscard]] Number number() noexcept {
        Number bytes{};
        if (!has(sizeof bytes)) return bytes;
        std::memcpy(&bytes, rest_.data(), sizeof bytes);
        rest_ = rest_.subspan(sizeof bytes);
        return little_endian(bytes);
    }

    /// A view into what is read.
    [[nodiscard]] std::string_view text(std::size_t size) noexcept {
        if (!has(size)) return {};
        const std::string_view value{reinterpret_cast<const char*>(rest_.data()), size};
        rest_ = rest_.subspan(size);
        return value;
    }

    /// A field that is to be zero until somebody gives it a meaning.
    template <std::unsigned_integral Number>
    void reserved() noexcept {
        failed_ = failed_ || number<Number>() != 0;
    }

    /// A number for which the protocol has an upper limit.
    template <std::unsigned_integral Number>
    [[nodiscard]] Number number_up_to(Number limit) noexcept {
        const auto value = number<Number>();
        failed_ = failed_ || value > limit;
        return value;
    }

    /// Bits of which these have a meaning, and the others are to be zero.
    template <std::unsigned_integral Number>
    [[nodiscard]] Number bits(Number known) noexcept {
        const auto value = number<Number>();
        failed_ = failed_ || (value & static_cast<Number>(~known)) != 0;
        return value;
    }

    /// What several fields must fulfil together.
    void require(bool holds) noexcept { failed_ = failed_ || !holds; }

    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] std::span<const std::byte> rest() const noexcept { return rest_; }

private:
    [[nodiscard]] bool has(std::size_t size) noexcept {
        failed_ = failed_ || size > rest_.size();
        return !failed_;
    }

    std::span<const std::byte> rest_;
    bool failed_ = false;
};

}  // namespace baton::wire
