#include "demo/gallery/palette.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

namespace baton::demo {
namespace {

struct Lab {
    float lightness, a, b;
};

Colour linear_from(unsigned srgb) {
    const auto part = [&](unsigned shift) {
        const auto stored = static_cast<float>((srgb >> shift) & 0xFFU) / 255.0F;
        return stored <= 0.04045F ? stored / 12.92F : std::pow((stored + 0.055F) / 1.055F, 2.4F);
    };
    return {part(16), part(8), part(0)};
}

Lab lab_from(const Colour& colour) {
    const auto [r, g, b] = colour;
    const float l = std::cbrt((0.4122214708F * r) + (0.5363325363F * g) + (0.0514459929F * b));
    const float m = std::cbrt((0.2119034982F * r) + (0.6806995451F * g) + (0.1073969566F * b));
    const float s = std::cbrt((0.0883024619F * r) + (0.2817188376F * g) + (0.6299787005F * b));
    return {(0.2104542553F * l) + (0.7936177850F * m) - (0.0040720468F * s),
            (1.9779984951F * l) - (2.4285922050F * m) + (0.4505937099F * s),
            (0.0259040371F * l) + (0.7827717662F * m) - (0.8086757660F * s)};
}

Colour linear_from(const Lab& lab) {
    const auto cube = [](float value) { return value * value * value; };
    const float l = cube(lab.lightness + (0.3963377774F * lab.a) + (0.2158037573F * lab.b));
    const float m = cube(lab.lightness - (0.1055613458F * lab.a) - (0.0638541728F * lab.b));
    const float s = cube(lab.lightness - (0.0894841775F * lab.a) - (1.2914855480F * lab.b));
    const auto within = [](float value) { return std::clamp(value, 0.0F, 1.0F); };
    return {within((4.0767416621F * l) - (3.3077115913F * m) + (0.2309699292F * s)),
            within((-1.2684380046F * l) + (2.6097574011F * m) - (0.3413193965F * s)),
            within((-0.0041960863F * l) - (0.7034186147F * m) + (1.7076147010F * s))};
}

Lab between(const Lab& from, const Lab& to, float share) {
    const auto mix = [share](float left, float right) { return left + ((right - left) * share); };
    return {mix(from.lightness, to.lightness), mix(from.a, to.a), mix(from.b, to.b)};
}

const std::vector<Palette>& palettes() {
    static const std::vector<Palette> all{
        {"dawn",
         {{0.0F, 0x0b1026},
          {0.16F, 0x2a2a72},
          {0.34F, 0x7b3f8f},
          {0.52F, 0xe8647c},
          {0.68F, 0xffb26b},
          {0.82F, 0xfff1c9},
          {0.92F, 0x5a7fbf}},
         0x05060f},
        {"ember",
         {{0.0F, 0x12060a},
          {0.22F, 0x5c0f1b},
          {0.42F, 0xc43a1a},
          {0.6F, 0xff9a2e},
          {0.75F, 0xffe9a8},
          {0.88F, 0x6d2a3a}},
         0x070203},
        {"lagoon",
         {{0.0F, 0x04141f},
          {0.2F, 0x064663},
          {0.42F, 0x0a9396},
          {0.6F, 0x94d2bd},
          {0.74F, 0xf4f1de},
          {0.88F, 0x1b6f8a}},
         0x020a10},
        {"orchid",
         {{0.0F, 0x160a26},
          {0.24F, 0x53207a},
          {0.46F, 0xb5479d},
          {0.64F, 0xf7a6c4},
          {0.76F, 0xfdf0f5},
          {0.88F, 0x5865b8}},
         0x0a0412},
        {"moss",
         {{0.0F, 0x0c140c},
          {0.22F, 0x254d32},
          {0.44F, 0x6a994e},
          {0.62F, 0xc9d67b},
          {0.76F, 0xfbf6d9},
          {0.88F, 0x4f6d5c}},
         0x050805},
        {"slate",
         {{0.0F, 0x0d1117},
          {0.3F, 0x3b4a5a},
          {0.55F, 0x9fb3c8},
          {0.74F, 0xf3f6fa},
          {0.88F, 0x55697d}},
         0x06080b},
    };
    return all;
}

}  // namespace

Palette::Palette(std::string_view name, const std::vector<Stop>& stops, unsigned inside)
    : name_(name), inside_(linear_from(inside)) {
    for (int step = 0; step < steps; ++step) {
        const float place = static_cast<float>(step) / steps;
        std::size_t next = 0;
        while (next < stops.size() && stops[next].place <= place) ++next;
        const auto& from = stops[next - 1];  // the first stop is at 0
        const bool round = next == stops.size();
        const auto& to = stops[round ? 0 : next];
        const float end = round ? 1.0F : to.place;
        const float share = (place - from.place) / (end - from.place);
        colours_.at(static_cast<std::size_t>(step)) = linear_from(
            between(lab_from(linear_from(from.srgb)), lab_from(linear_from(to.srgb)), share));
    }
}

Colour Palette::at(double place) const noexcept {
    const double whole = (place - std::floor(place)) * steps;
    const auto index = static_cast<std::size_t>(whole) % steps;
    const auto next = (index + 1) % steps;
    const auto share = static_cast<float>(whole - std::floor(whole));
    const auto& from = colours_[index];
    const auto& to = colours_[next];
    return {from.red + ((to.red - from.red) * share),
            from.green + ((to.green - from.green) * share),
            from.blue + ((to.blue - from.blue) * share)};
}

const Palette* find_palette(std::string_view name) {
    const auto found = std::ranges::find(palettes(), name, &Palette::name);
    return found == palettes().end() ? nullptr : &*found;
}

std::vector<std::string_view> palette_names() {
    std::vector<std::string_view> names;
    for (const auto& palette : palettes()) names.push_back(palette.name());
    return names;
}

unsigned char to_srgb(float linear) noexcept {
    const float within = std::clamp(linear, 0.0F, 1.0F);
    const float stored =
        within <= 0.0031308F ? within * 12.92F : (1.055F * std::pow(within, 1 / 2.4F)) - 0.055F;
    return static_cast<unsigned char>(std::lround(stored * 255.0F));
}

}  // namespace baton::demo
