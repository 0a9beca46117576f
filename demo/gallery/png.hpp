#pragma once

#include <string>

#include "demo/gallery/fractal.hpp"

namespace baton::demo {

/// The image as a PNG file: 8 bits of red, green and blue, each row with the filter that leaves the
/// least of it, compressed by zlib.
/// Source: ISO/IEC 15948 (PNG), 5 (chunks), 9 (filters), 12.8 (how to choose one).
[[nodiscard]] std::string encode_png(const Image& image);

}  // namespace baton::demo
