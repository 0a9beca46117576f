#include "demo/gallery/png.hpp"

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "demo/gallery/fractal.hpp"

namespace baton::demo {
namespace {

constexpr std::size_t bytes_per_pixel = 3;

/// Speed counts here: the last percents of size would cost as much time as the drawing.
constexpr int compression_level = 4;

enum class Filter : std::uint8_t { none, sub, up, average, paeth };
constexpr std::array filters{Filter::none, Filter::sub, Filter::up, Filter::paeth};

void append_number(std::string& out, std::uint32_t number) {
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>((number >> shift) & 0xFFU);
}

void append_chunk(std::string& out, std::string_view type, std::string_view data) {
    append_number(out, static_cast<std::uint32_t>(data.size()));
    const auto checked_from = out.size();
    out.append(type).append(data);
    const auto checked = std::string_view(out).substr(checked_from);
    append_number(
        out, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                                              static_cast<uInt>(checked.size()))));
}

/// Of left, up and upper left the one that is nearest to left + up - upper left.
int paeth(int left, int up, int upper_left) {
    const int guess = left + up - upper_left;
    const int by_left = std::abs(guess - left);
    const int by_up = std::abs(guess - up);
    const int by_both = std::abs(guess - upper_left);
    if (by_left <= by_up && by_left <= by_both) return left;
    return by_up <= by_both ? up : upper_left;
}

/// `row` as differences, its filter's number first. `above` is empty for the first row.
void filter_row(Filter filter, std::span<const std::uint8_t> row,
                std::span<const std::uint8_t> above, std::vector<std::uint8_t>& out) {
    out.clear();
    out.push_back(static_cast<std::uint8_t>(filter));
    for (std::size_t index = 0; index < row.size(); ++index) {
        const bool first = index < bytes_per_pixel;
        const int left = first ? 0 : row[index - bytes_per_pixel];
        const int up = above.empty() ? 0 : above[index];
        const int upper_left = above.empty() || first ? 0 : above[index - bytes_per_pixel];
        int guess = 0;
        switch (filter) {
            case Filter::none: break;
            case Filter::sub: guess = left; break;
            case Filter::up: guess = up; break;
            case Filter::average: guess = (left + up) / 2; break;
            case Filter::paeth: guess = paeth(left, up, upper_left); break;
        }
        out.push_back(static_cast<std::uint8_t>(row[index] - guess));
    }
}

/// How much is left of a row, its bytes taken as small numbers with a sign.
std::uint64_t rest_of(std::span<const std::uint8_t> filtered) {
    std::uint64_t sum = 0;
    for (const auto byte : filtered.subspan(1)) {
        sum += static_cast<std::uint64_t>(std::abs(static_cast<std::int8_t>(byte)));
    }
    return sum;
}

std::vector<std::uint8_t> filter_rows(const Image& image) {
    const std::span<const std::uint8_t> pixels(image.pixels);
    const std::size_t row_size = image.width * bytes_per_pixel;
    std::vector<std::uint8_t> all;
    all.reserve((row_size + 1) * image.height);
    std::vector<std::uint8_t> best;
    std::vector<std::uint8_t> tried;
    for (std::uint32_t row = 0; row < image.height; ++row) {
        const auto present = pixels.subspan(row * row_size, row_size);
        const auto above = row == 0 ? std::span<const std::uint8_t>{}
                                    : pixels.subspan((row - 1) * row_size, row_size);
        auto least = std::numeric_limits<std::uint64_t>::max();
        for (const auto filter : filters) {
            filter_row(filter, present, above, tried);
            if (const auto rest = rest_of(tried); rest < least) {
                least = rest;
                best.swap(tried);
            }
        }
        all.insert(all.end(), best.begin(), best.end());
    }
    return all;
}

std::string compress(std::span<const std::uint8_t> bytes) {
    auto size = compressBound(bytes.size());
    std::string out(size, '\0');
    const auto result = compress2(reinterpret_cast<Bytef*>(out.data()), &size, bytes.data(),
                                  bytes.size(), compression_level);
    if (result != Z_OK)
        throw std::bad_alloc();  // nothing else can go wrong with a buffer that fits
    out.resize(size);
    return out;
}

}  // namespace

std::string encode_png(const Image& image) {
    std::string out = "\x89PNG\r\n\x1a\n";
    std::string header;
    append_number(header, image.width);
    append_number(header, image.height);
    // 8 bits, colours, deflate, the five filters, not interlaced.
    header.append(std::string_view("\x08\x02\x00\x00\x00", 5));
    append_chunk(out, "IHDR", header);
    append_chunk(out, "sRGB", std::string_view("\x00", 1));
    append_chunk(out, "IDAT", compress(filter_rows(image)));
    append_chunk(out, "IEND", "");
    return out;
}

}  // namespace baton::demo
