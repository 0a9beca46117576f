#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "demo/gallery/picture.hpp"

namespace baton::demo {

/// Rows of pixels from the top, each pixel red, green, blue.
struct Image {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::vector<std::uint8_t> pixels;
};

/// Draws a picture, or its tile: the tile's pixels are exactly those of the whole picture there.
///
/// Takes from milliseconds to seconds of one processor; that is what the demo wants of it.
///
/// @param still_wanted  asked before each row; once it says no, nothing is returned
[[nodiscard]] std::optional<Image> draw(const Picture& picture,
                                        const std::function<bool()>& still_wanted);

}  // namespace baton::demo
