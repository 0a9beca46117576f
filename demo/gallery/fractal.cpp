#include "demo/gallery/fractal.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "demo/gallery/palette.hpp"
#include "demo/gallery/picture.hpp"

// How soon z -> z*z + c runs away is made a smooth number by how far it ran (the "normalised
// iteration count"). How that number changes with the place, followed along as a matrix of
// derivatives, is the slope of a hill, which a light from the upper left shades. The matrix instead
// of a complex derivative, since the burning ship's formula has none.

namespace baton::demo {
namespace {

constexpr double height_of_plane = 2.5;  // at zoom 1

/// A large radius makes the count smooth to the eye.
constexpr double escape_radius_squared = 1e6;

struct Escape {
    bool escaped = false;
    double count = 0;    // smooth
    double slope_x = 0;  // of the hill, length 1
    double slope_y = 0;
};

/// z and its derivatives by the place in the plane.
struct Orbit {
    double x = 0, y = 0;
    double x_by_x = 0, x_by_y = 0, y_by_x = 0, y_by_y = 0;
};

/// One turn of z*z + c. `moving`: 1 if c moves with the place, 0 if it is a constant.
void turn(Orbit& z, double cx, double cy, double moving) {
    const Orbit old = z;
    z.x = (old.x * old.x) - (old.y * old.y) + cx;
    z.y = (2 * old.x * old.y) + cy;
    z.x_by_x = (2 * ((old.x * old.x_by_x) - (old.y * old.y_by_x))) + moving;
    z.x_by_y = 2 * ((old.x * old.x_by_y) - (old.y * old.y_by_y));
    z.y_by_x = 2 * ((old.x * old.y_by_x) + (old.y * old.x_by_x));
    z.y_by_y = (2 * ((old.x * old.y_by_y) + (old.y * old.x_by_y))) + moving;
}

/// z with both parts made positive, before the turn.
void fold(Orbit& z) {
    if (z.x < 0) {
        z.x = -z.x;
        z.x_by_x = -z.x_by_x;
        z.x_by_y = -z.x_by_y;
    }
    if (z.y < 0) {
        z.y = -z.y;
        z.y_by_x = -z.y_by_x;
        z.y_by_y = -z.y_by_y;
    }
}

Escape escape_of(const Orbit& z, std::uint32_t turns) {
    const double size_squared = (z.x * z.x) + (z.y * z.y);
    const double by_x = (z.x * z.x_by_x) + (z.y * z.y_by_x);
    const double by_y = (z.x * z.x_by_y) + (z.y * z.y_by_y);
    const double length = std::hypot(by_x, by_y);
    Escape escape{.escaped = true};
    escape.count = turns + 1 - std::log2(std::log(size_squared) / std::log(escape_radius_squared));
    // Far out the derivatives may have run out of the numbers' range: flat, then.
    if (std::isfinite(length) && length > 0) {
        escape.slope_x = by_x / length;
        escape.slope_y = by_y / length;
    }
    return escape;
}

/// Inside the set points come back to where they were: found by looking at every 2^n-th one
/// (R. P. Brent's way to find a cycle).
class Cycle {
public:
    /// @param tolerance  how near counts as back; small beside a pixel
    explicit Cycle(double tolerance) : tolerance_(tolerance) {}

    bool closed(const Orbit& z) noexcept {
        if (std::abs(z.x - x_) < tolerance_ && std::abs(z.y - y_) < tolerance_) return true;
        if (++since_ == period_) {
            since_ = 0;
            period_ *= 2;
            x_ = z.x;
            y_ = z.y;
        }
        return false;
    }

private:
    double tolerance_;
    double x_ = 1e9, y_ = 1e9;
    std::uint32_t since_ = 0, period_ = 8;
};

/// From one pixel to the next, in the plane.
double step_of(const Picture& picture) { return height_of_plane / (picture.zoom * picture.height); }

Escape follow(const Picture& picture, double x, double y) {
    const bool julia = picture.formula == Formula::julia;
    const bool ship = picture.formula == Formula::burning_ship;
    const double cx = julia ? picture.re : x;
    const double cy = julia ? picture.im : y;
    const double moving = julia ? 0 : 1;
    Orbit z;
    if (julia) z = {.x = x, .y = y, .x_by_x = 1, .y_by_y = 1};
    Cycle cycle(std::min(1e-9, 1e-3 * step_of(picture)));
    for (std::uint32_t count = 0; count < picture.iterations; ++count) {
        if (ship) fold(z);
        turn(z, cx, cy, moving);
        if ((z.x * z.x) + (z.y * z.y) > escape_radius_squared) return escape_of(z, count);
        if (cycle.closed(z)) break;
    }
    return {};
}

/// A light from the upper left, low enough to show the ridges.
float brightness(const Escape& escape) {
    constexpr double light_x = -0.6, light_y = -0.8;  // the plane's y grows downwards here
    constexpr double light_height = 1.35;
    const double facing = ((escape.slope_x * light_x) + (escape.slope_y * light_y) + light_height) /
                          (1 + light_height);
    constexpr double ambient = 0.55;
    return static_cast<float>(ambient + ((1.25 - ambient) * facing));
}

Colour colour_of(const Picture& picture, const Palette& palette, double x, double y) {
    const Escape escape = follow(picture, x, y);
    if (!escape.escaped) return palette.inside();
    // The root stretches the outer bands and packs the inner ones.
    const double place = picture.shift + (picture.density * 0.11 * std::sqrt(escape.count + 1));
    Colour colour = palette.at(place);
    const float light = brightness(escape);
    return {colour.red * light, colour.green * light, colour.blue * light};
}

}  // namespace

std::optional<Image> draw(const Picture& picture, const std::function<bool()>& still_wanted) {
    const auto& palette = *find_palette(picture.palette);
    Image image{.width = picture.tile_width(), .height = picture.tile_height(), .pixels = {}};
    image.pixels.reserve(std::size_t{image.width} * image.height * 3);
    const double step = step_of(picture);
    const double half_width = picture.width / 2.0;
    const double half_height = picture.height / 2.0;
    const auto share = 1.0F / static_cast<float>(picture.samples * picture.samples);
    for (std::uint32_t row = 0; row < image.height; ++row) {
        if (!still_wanted()) return std::nullopt;
        for (std::uint32_t column = 0; column < image.width; ++column) {
            Colour sum;
            for (std::uint32_t point = 0; point < picture.samples * picture.samples; ++point) {
                const std::uint32_t across = point % picture.samples;
                const std::uint32_t down = point / picture.samples;
                const double part_x = (across + 0.5) / picture.samples;
                const double part_y = (down + 0.5) / picture.samples;
                const auto colour =
                    colour_of(picture, palette,
                              picture.x + ((picture.left() + column + part_x - half_width) * step),
                              picture.y + ((picture.top() + row + part_y - half_height) * step));
                sum.red += colour.red;
                sum.green += colour.green;
                sum.blue += colour.blue;
            }
            for (const float part : {sum.red, sum.green, sum.blue}) {
                image.pixels.push_back(to_srgb(part * share));
            }
        }
    }
    return image;
}

}  // namespace baton::demo
