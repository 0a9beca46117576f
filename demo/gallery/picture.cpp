#include "demo/gallery/picture.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demo/gallery/palette.hpp"

namespace baton::demo {
namespace {

/// Points times iterations, the worst case: some seconds of one processor.
constexpr double work_limit = 4e9;

constexpr std::size_t query_limit = 1024;

struct Name {
    std::string_view path;
    Formula formula;
};
constexpr std::array names{
    Name{"/gallery/mandelbrot.png", Formula::mandelbrot},
    Name{"/gallery/julia.png", Formula::julia},
    Name{"/gallery/burning-ship.png", Formula::burning_ship},
};

using Checked = std::expected<void, Refusal>;

std::unexpected<Refusal> refuse(int status, std::string text) {
    return std::unexpected(Refusal{status, std::move(text)});
}

/// All of `text` has to be the number: `1x`, ` 1`, `nan` and the empty text are none.
template <typename Number>
Checked read_number(std::string_view name, std::string_view text, Number low, Number high,
                    Number& out) {
    Number value{};
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    // Not `value < low || value > high`, which lets NaN pass.
    if (error == std::errc{} && rest == end && value >= low && value <= high) {
        out = value;
        return {};
    }
    return refuse(400, fmt::format("{} is a number from {} to {}", name, low, high));
}

Checked read_tile(std::string_view text, Picture& picture) {
    std::array<std::uint32_t*, 4> numbers{&picture.column, &picture.row, &picture.columns,
                                          &picture.rows};
    for (std::size_t index = 0; index < numbers.size(); ++index) {
        const auto comma = text.find(',');
        const bool last = index + 1 == numbers.size();
        if ((comma == std::string_view::npos) != last) {
            return refuse(400, "tile is column,row,columns,rows");
        }
        if (auto read = read_number<std::uint32_t>("each number of tile", text.substr(0, comma), 0,
                                                   16, *numbers.at(index));
            !read) {
            return read;
        }
        text.remove_prefix(last ? text.size() : comma + 1);
    }
    if (picture.column >= picture.columns || picture.row >= picture.rows) {
        return refuse(400, "tile is column,row,columns,rows, both counted from 0");
    }
    return {};
}

Checked read_parameter(std::string_view name, std::string_view value, Picture& picture) {
    if (name == "x") return read_number(name, value, -4.0, 4.0, picture.x);
    if (name == "y") return read_number(name, value, -4.0, 4.0, picture.y);
    if (name == "zoom") return read_number(name, value, 0.25, 1e12, picture.zoom);
    if (name == "re") return read_number(name, value, -2.0, 2.0, picture.re);
    if (name == "im") return read_number(name, value, -2.0, 2.0, picture.im);
    if (name == "density") return read_number(name, value, 0.05, 20.0, picture.density);
    if (name == "shift") return read_number(name, value, 0.0, 1.0, picture.shift);
    if (name == "iterations") return read_number(name, value, 16U, 10'000U, picture.iterations);
    if (name == "samples") return read_number(name, value, 1U, 4U, picture.samples);
    if (name == "width") return read_number(name, value, 16U, 2048U, picture.width);
    if (name == "height") return read_number(name, value, 16U, 2048U, picture.height);
    if (name == "size") {
        auto read = read_number(name, value, 16U, 2048U, picture.width);
        picture.height = picture.width;
        return read;
    }
    if (name == "tile") return read_tile(value, picture);
    if (name == "draw") {
        std::uint32_t ignored = 0;
        return read_number(name, value, 0U, 999'999'999U, ignored);
    }
    if (name == "palette") {
        if (find_palette(value) == nullptr) {
            return refuse(400,
                          fmt::format("palette is one of {}", fmt::join(palette_names(), ", ")));
        }
        picture.palette = value;
        return {};
    }
    return refuse(400,
                  "there is x, y, zoom, re, im, width, height, size, iterations, samples, "
                  "palette, density, shift, tile, draw");
}

}  // namespace

std::expected<Picture, Refusal> parse_picture(std::string_view path, std::string_view query) {
    const auto* const found = std::ranges::find(names, path, &Name::path);
    if (found == names.end()) {
        return refuse(404, "there is mandelbrot.png, julia.png, burning-ship.png");
    }
    Picture picture{.formula = found->formula};
    if (found->formula == Formula::julia) picture.x = 0;
    if (query.size() > query_limit) return refuse(400, "the query is too long");

    std::vector<std::string_view> seen;
    for (bool more = !query.empty(); more;) {
        const auto pair = query.substr(0, query.find('&'));
        more = pair.size() < query.size();
        query.remove_prefix(pair.size() + (more ? 1 : 0));
        const auto name = pair.substr(0, pair.find('='));
        if (name.size() == pair.size()) return refuse(400, "each parameter is name=value");
        // `size` is width and height in one word.
        const bool clash = std::ranges::any_of(seen, [&](std::string_view other) {
            const bool sides = name == "width" || name == "height";
            const bool other_sides = other == "width" || other == "height";
            return name == other || (name == "size" && other_sides) || (sides && other == "size");
        });
        if (clash) return refuse(400, fmt::format("{} is said twice", name));
        seen.push_back(name);
        if (auto read = read_parameter(name, pair.substr(name.size() + 1), picture); !read) {
            return std::unexpected(std::move(read.error()));
        }
    }
    const double work = static_cast<double>(picture.tile_width()) * picture.tile_height() *
                        picture.samples * picture.samples * picture.iterations;
    if (work > work_limit) {
        return refuse(400,
                      "that would take too long: choose a smaller size, or fewer samples or "
                      "iterations");
    }
    return picture;
}

}  // namespace baton::demo
