// Command lines: split, parsed, carried out by a daemon in memory, written back and read again. The
// input is a file of commands.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "core/command/aci.hpp"
#include "core/command/check.hpp"
#include "core/command/completion.hpp"
#include "core/command/configuration.hpp"
#include "core/command/dry_run.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/mask.hpp"
#include "core/command/table.hpp"  // IWYU pragma: keep: Outcome is complete only there

namespace {

using baton::command::Words;

void words_come_back(const Words& words) {
    const auto again = baton::command::split_line(baton::command::join(words));
    BATON_ASSERT(again.has_value() && *again == words);
}

/// What a daemon has become can be said in commands, and they make the same one.
void configuration_comes_back(baton::command::DryRun& daemon) {
    std::string text;
    for (const std::string& line : baton::command::save_lines(daemon.configuration())) {
        text += line + "\n";
    }
    const auto again = baton::command::check_configuration(text, "saved");
    BATON_ASSERT(again.has_value());
    BATON_ASSERT(*again == daemon.configuration());
    BATON_ASSERT(baton::command::difference(*again, daemon.configuration()).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    (void)baton::command::check_configuration(text, "file");
    (void)baton::command::mask_credentials(text);

    baton::command::DryRun daemon;
    std::string_view rest = text;
    // A bound on lines keeps long inputs from being slow.
    for (int lines = 0; lines < 64 && !rest.empty(); ++lines) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        (void)baton::command::complete(line,
                                       {.services = {"echo"}, .workers = {"1"}, .clients = {}});
        (void)baton::command::mask_secrets(line);
        const auto words = baton::command::split_line(line);
        if (!words) {
            BATON_ASSERT(!words.error().text().empty());
            continue;
        }
        words_come_back(*words);
        (void)baton::command::parse_aci_fields(*words);
        const auto done = baton::command::execute(*words, daemon);
        if (!done) BATON_ASSERT(!done.error().text().contains('\n'));
    }
    configuration_comes_back(daemon);
    return 0;
}
