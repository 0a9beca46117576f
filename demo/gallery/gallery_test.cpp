#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demo/gallery/fractal.hpp"
#include "demo/gallery/palette.hpp"
#include "demo/gallery/picture.hpp"
#include "demo/gallery/png.hpp"

namespace baton::demo {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

Picture picture(std::string_view name, std::string_view query) {
    const auto parsed = parse_picture("/gallery/" + std::string(name), query);
    EXPECT_TRUE(parsed) << query << ": " << parsed.error().text;
    return parsed.value_or(Picture{});
}

Image drawn(const Picture& what) {
    return draw(what, [] { return true; }).value();
}

std::array<int, 3> pixel(const Image& image, std::size_t column, std::size_t row) {
    const auto at = (row * image.width + column) * 3;
    return {image.pixels.at(at), image.pixels.at(at + 1), image.pixels.at(at + 2)};
}

/// The pixels of a PNG that encode_png() made, read by the standard alone.
class PngReader {
public:
    explicit PngReader(std::string_view file) : rest_(file) {
        EXPECT_EQ(take(8), "\x89PNG\r\n\x1a\n");
        while (!rest_.empty()) take_chunk();
        unfilter();
    }

    std::vector<std::string> chunks;
    Image image;

private:
    std::string_view take(std::size_t size) {
        const auto taken = rest_.substr(0, size);
        EXPECT_EQ(taken.size(), size);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    static std::uint32_t number(std::string_view bytes) {
        std::uint32_t value = 0;
        for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
        return value;
    }

    void take_chunk() {
        const auto size = number(take(4));
        const auto checked = take(size + 4);
        const auto crc = crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                               static_cast<uInt>(checked.size()));
        EXPECT_EQ(number(take(4)), crc);
        chunks.emplace_back(checked.substr(0, 4));
        const auto data = checked.substr(4);
        if (chunks.back() == "IHDR") {
            image.width = number(data.substr(0, 4));
            image.height = number(data.substr(4, 4));
            EXPECT_EQ(data.substr(8), std::string_view("\x08\x02\x00\x00\x00", 5));
        } else if (chunks.back() == "IDAT") {
            filtered_.resize((std::size_t{image.width} * 3 + 1) * image.height);
            auto length = static_cast<uLongf>(filtered_.size());
            EXPECT_EQ(uncompress(filtered_.data(), &length,
                                 reinterpret_cast<const Bytef*>(data.data()), data.size()),
                      Z_OK);
            EXPECT_EQ(length, filtered_.size());
        }
    }

    void unfilter() {
        const std::size_t row_size = std::size_t{image.width} * 3;
        image.pixels.resize(row_size * image.height);
        for (std::size_t row = 0; row < image.height; ++row) {
            const std::span source(filtered_.data() + row * (row_size + 1), row_size + 1);
            for (std::size_t index = 0; index < row_size; ++index) {
                const int a = index < 3 ? 0 : image.pixels[row * row_size + index - 3];
                const int b = row == 0 ? 0 : image.pixels[(row - 1) * row_size + index];
                const int c =
                    row == 0 || index < 3 ? 0 : image.pixels[(row - 1) * row_size + index - 3];
                const int p = a + b - c;
                const bool near_a =
                    std::abs(p - a) <= std::abs(p - b) && std::abs(p - a) <= std::abs(p - c);
                const int paeth = near_a ? a : std::abs(p - b) <= std::abs(p - c) ? b : c;
                const std::array guesses{0, a, b, (a + b) / 2, paeth};
                image.pixels[row * row_size + index] =
                    static_cast<std::uint8_t>(source[index + 1] + guesses.at(source[0]));
            }
        }
    }

    std::string_view rest_;
    std::vector<std::uint8_t> filtered_;
};

TEST(Png, AReaderGetsBackEveryPixel) {
    const auto image = drawn(picture("julia.png", "width=61&height=47&samples=1"));
    const auto file = encode_png(image);
    const PngReader read(file);
    EXPECT_THAT(read.chunks, ElementsAre("IHDR", "sRGB", "IDAT", "IEND"));
    EXPECT_EQ(read.image.width, 61U);
    EXPECT_EQ(read.image.height, 47U);
    EXPECT_EQ(read.image.pixels, image.pixels);
}

TEST(Png, ARowLikeTheOneAboveCostsNearlyNothing) {
    const Image flat{.width = 500, .height = 500, .pixels = std::vector<std::uint8_t>(750'000, 77)};
    EXPECT_LT(encode_png(flat).size(), 5'000U);
}

TEST(Fractal, TheMiddleOfTheSetIsInsideAndFarAwayIsNot) {
    const auto image = drawn(picture("mandelbrot.png", "size=65&samples=1&x=0"));
    const auto inside = find_palette("dawn")->inside();
    const std::array<int, 3> colour{to_srgb(inside.red), to_srgb(inside.green),
                                    to_srgb(inside.blue)};
    EXPECT_EQ(pixel(image, 32, 32), colour);
    EXPECT_NE(pixel(image, 0, 0), colour);
}

TEST(Fractal, AJuliaSetTurnedHalfwayHasTheSameOutline) {
    // The shading comes from one side; inside there is none.
    const auto image = drawn(picture("julia.png", "size=64&samples=1&re=-0.123&im=0.745"));
    const auto inside = pixel(image, 32, 32);
    int count = 0;
    for (std::size_t row = 0; row < 64; ++row) {
        for (std::size_t column = 0; column < 64; ++column) {
            const bool here = pixel(image, column, row) == inside;
            EXPECT_EQ(here, pixel(image, 63 - column, 63 - row) == inside);
            count += here ? 1 : 0;
        }
    }
    EXPECT_GT(count, 100);
}

TEST(Fractal, TilesAreExactlyThePiecesOfTheWholePicture) {
    const std::string query = "width=50&height=31&samples=2&zoom=40&x=-0.75&y=0.1";
    const auto whole = drawn(picture("mandelbrot.png", query));
    std::size_t pixels = 0;
    for (std::uint32_t row = 0; row < 3; ++row) {
        for (std::uint32_t column = 0; column < 4; ++column) {
            const auto tile =
                "&tile=" + std::to_string(column) + "," + std::to_string(row) + ",4,3";
            const auto what = picture("mandelbrot.png", query + tile);
            const auto piece = drawn(what);
            for (std::size_t y = 0; y < piece.height; ++y) {
                for (std::size_t x = 0; x < piece.width; ++x) {
                    ASSERT_EQ(pixel(piece, x, y), pixel(whole, what.left() + x, what.top() + y));
                    ++pixels;
                }
            }
        }
    }
    EXPECT_EQ(pixels, 50U * 31U);
}

TEST(Fractal, DrawingStopsWhenNobodyWantsThePictureAnyMore) {
    int rows = 0;
    const auto image = draw(picture("mandelbrot.png", "size=64"), [&] { return ++rows <= 10; });
    EXPECT_FALSE(image);
    EXPECT_EQ(rows, 11);
}

TEST(Palette, ComesRoundWithoutAnEdge) {
    for (const auto name : palette_names()) {
        const auto& palette = *find_palette(name);
        const auto end = palette.at(0.999999);
        const auto begin = palette.at(1.0);
        EXPECT_NEAR(end.red, begin.red, 0.01) << name;
        EXPECT_NEAR(end.green, begin.green, 0.01) << name;
        EXPECT_NEAR(end.blue, begin.blue, 0.01) << name;
        EXPECT_EQ(palette.at(-0.25).red, palette.at(0.75).red);
    }
}

TEST(Picture, EveryParameterIsRead) {
    const auto read = picture("julia.png",
                              "x=0.5&y=-0.25&zoom=3e2&re=-0.7&im=0.27&width=300&height=200&"
                              "iterations=500&samples=3&palette=ember&density=2&shift=0.5&"
                              "tile=1,0,2,1&draw=17");
    EXPECT_EQ(read.formula, Formula::julia);
    EXPECT_EQ(read.x, 0.5);
    EXPECT_EQ(read.y, -0.25);
    EXPECT_EQ(read.zoom, 300);
    EXPECT_EQ(read.re, -0.7);
    EXPECT_EQ(read.im, 0.27);
    EXPECT_EQ(read.iterations, 500U);
    EXPECT_EQ(read.samples, 3U);
    EXPECT_EQ(read.palette, "ember");
    EXPECT_EQ(read.density, 2);
    EXPECT_EQ(read.shift, 0.5);
    EXPECT_EQ(read.left(), 150U);
    EXPECT_EQ(read.tile_width(), 150U);
    EXPECT_EQ(read.tile_height(), 200U);
    EXPECT_EQ(picture("burning-ship.png", "size=100").height, 100U);
}

TEST(Picture, WhatIsNotExactlyAPictureIsRefusedWithWhatWouldBe) {
    for (const auto* path : {"/gallery/", "/gallery/mandelbrot", "/gallery/Mandelbrot.png",
                             "/gallery/../etc/passwd", "/mandelbrot.png", ""}) {
        const auto parsed = parse_picture(path, "");
        ASSERT_FALSE(parsed) << path;
        EXPECT_EQ(parsed.error().status, 404);
    }
    for (const auto* query : {"size=15",
                              "size=2049",
                              "size=64x",
                              "size=+64",
                              "size= 64",
                              "size=",
                              "size",
                              "=64",
                              "&",
                              "size=64&",
                              "size=64&size=64",
                              "size=64&width=64",
                              "zoom=0",
                              "zoom=nan",
                              "zoom=inf",
                              "zoom=1e99",
                              "x=--1",
                              "x=5",
                              "x=0x1",
                              "re=2.1",
                              "samples=0",
                              "samples=5",
                              "iterations=1",
                              "palette=",
                              "palette=nope",
                              "palette=dawn%00",
                              "shift=-1",
                              "tile=1,1",
                              "tile=2,0,2,1",
                              "tile=0,0,0,0",
                              "tile=0,0,1,1,1",
                              "tile=0,0,17,1",
                              "tile=-1,0,2,2",
                              "draw=x",
                              "nope=1",
                              "Size=64",
                              "size=18446744073709551680"}) {
        const auto parsed = parse_picture("/gallery/julia.png", query);
        ASSERT_FALSE(parsed) << query;
        EXPECT_EQ(parsed.error().status, 400) << query;
        EXPECT_FALSE(parsed.error().text.empty());
    }
    EXPECT_THAT(parse_picture("/gallery/julia.png", "samples=9").error().text,
                HasSubstr("samples is a number from 1 to 4"));
    EXPECT_FALSE(parse_picture("/gallery/julia.png", std::string(2000, 'x')));
}

TEST(Picture, NobodyCanAskForWhatTakesTooLong) {
    EXPECT_FALSE(parse_picture("/gallery/julia.png", "size=2048&samples=4&iterations=10000"));
    EXPECT_TRUE(
        parse_picture("/gallery/julia.png", "size=2048&samples=4&iterations=10000&tile=0,0,16,16"));
}

}  // namespace
}  // namespace baton::demo
