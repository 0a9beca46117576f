#pragma once

#include <array>
#include <string_view>
#include <vector>

namespace baton::demo {

/// Linear light, each part from 0 to 1.
struct Colour {
    float red = 0, green = 0, blue = 0;
};

/// Colours on a closed way, and one for what lies inside the set.
///
/// Between its stops a palette goes in OKLab, where equal steps look equal: no muddy middles.
/// Source: Björn Ottosson, "A perceptual color space for image processing", 2020.
class Palette {
public:
    struct Stop {
        float place;    ///< 0 to 1, rising
        unsigned srgb;  ///< 0xRRGGBB
    };

    Palette(std::string_view name, const std::vector<Stop>& stops, unsigned inside);

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    /// @param place  any number: the palette comes round at each whole one
    [[nodiscard]] Colour at(double place) const noexcept;
    [[nodiscard]] Colour inside() const noexcept { return inside_; }

private:
    static constexpr int steps = 2048;

    std::string_view name_;
    std::array<Colour, steps> colours_;
    Colour inside_;
};

/// Null when there is none of this name. Lives as long as the program.
[[nodiscard]] const Palette* find_palette(std::string_view name);

[[nodiscard]] std::vector<std::string_view> palette_names();

/// One part of a colour as it is stored in files, 0 to 255.
[[nodiscard]] unsigned char to_srgb(float linear) noexcept;

}  // namespace baton::demo
