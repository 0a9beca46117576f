#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace baton::demo {

/// What is drawn. All three colour the plane by how soon a sequence runs away.
enum class Formula : std::uint8_t { mandelbrot, julia, burning_ship };

/// One picture, or one tile of one: everything that a URL of the gallery says. A value; that of
/// parse_picture() is within all limits.
struct Picture {
    Formula formula = Formula::mandelbrot;
    double x = -0.6;  ///< the middle of the picture in the plane
    double y = 0;
    double zoom = 1;   ///< 1: the plane from y - 1.25 to y + 1.25
    double re = -0.8;  ///< the constant of a julia set
    double im = 0.156;
    std::uint32_t width = 640;  ///< of the whole picture, in pixels
    std::uint32_t height = 640;
    std::uint32_t iterations = 400;
    std::uint32_t samples = 2;  ///< across a pixel: 2 means four points
    std::string palette = "dawn";
    double density = 1;  ///< how often the palette comes round
    double shift = 0;    ///< where it begins, 0 to 1
    // The tile: column and row of columns x rows.
    std::uint32_t column = 0, row = 0, columns = 1, rows = 1;

    /// Pixels of the tile.
    [[nodiscard]] std::uint32_t left() const noexcept { return width * column / columns; }
    [[nodiscard]] std::uint32_t top() const noexcept { return height * row / rows; }
    [[nodiscard]] std::uint32_t tile_width() const noexcept {
        return (width * (column + 1) / columns) - left();
    }
    [[nodiscard]] std::uint32_t tile_height() const noexcept {
        return (height * (row + 1) / rows) - top();
    }
};

/// Why a URL names no picture.
struct Refusal {
    int status = 400;
    std::string text;  ///< one sentence: what is wrong, and what would be right
};

/// Reads `/gallery/julia.png` and `re=-0.8&im=0.156&size=640`.
///
/// Strict: an unknown name, an unknown or repeated parameter, a number out of its range or with
/// something behind it, and a picture that would take too long are refused. `draw` may be any
/// number and means nothing: it makes the URL a new one, so that a browser asks again.
[[nodiscard]] std::expected<Picture, Refusal> parse_picture(std::string_view path,
                                                            std::string_view query);

}  // namespace baton::demo
