#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"

namespace baton::simulation {

/// What happened in a run: a hash of everything, counts of each kind, and lines for people if
/// wanted.
class Trace {
public:
    explicit Trace(bool printing) : printing_(printing) {}

    struct Field {
        std::string_view name;
        std::uint64_t value;
    };

    /// An event that the engine is told of, or something that happens in the world outside.
    void event(Instant now, std::uint32_t service, std::string_view what,
               std::initializer_list<Field> fields);

    /// What the engine answered.
    void action(const engine::Action& action);

    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

    /// How often each event and each action occurred.
    [[nodiscard]] const std::map<std::string_view, std::uint64_t>& counts() const noexcept {
        return counts_;
    }

private:
    void line(std::string_view what, std::initializer_list<Field> fields);
    void mix(std::uint64_t value) noexcept;

    bool printing_;
    std::uint64_t hash_ = 0xcbf29ce484222325U;
    std::map<std::string_view, std::uint64_t> counts_;
};

}  // namespace baton::simulation
