#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/command/dry_run.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/options.hpp"
#include "core/command/table.hpp"
#include "core/engine/definitions.hpp"

namespace baton::command {
namespace {

Answer<Invocation> parse_text(std::string_view line) {
    auto words = split_line(line);
    if (!words) return std::unexpected(words.error());
    return parse(*words);
}

std::string refusal(std::string_view line) {
    const auto parsed = parse_text(line);
    return parsed ? "" : parsed.error().text();
}

/// Without the format line, which is always the verb's.
std::string refusal_in_short(std::string_view line) {
    auto parsed = parse_text(line);
    if (parsed) return "";
    EXPECT_FALSE(parsed.error().format.empty()) << line;
    parsed.error().format.clear();
    return parsed.error().text();
}

// ---- Words

TEST(Parse, VerbsMayBeInCapitalsNamesMayNot) {
    const auto parsed = parse_text("CONFIG Service Echo");
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->command->words, "config service");
    EXPECT_EQ(parsed->text(0), "Echo");
}

TEST(Parse, IS8_TheEmptyCommandIsStatus) {
    EXPECT_EQ(parse(Words{})->command->words, "status");
    EXPECT_EQ(parse(Words{""})->command->words, "status");
    EXPECT_TRUE(parse(Words{"json"})->json);
}

TEST(Parse, JsonBeforeACommand) {
    const auto parsed = parse_text("json workers idle");
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->json);
    EXPECT_EQ(parsed->words, (Words{"workers", "idle"}));
}

TEST(Parse, TheLongestWordsNameTheCommand) {
    EXPECT_EQ(parse_text("config get save")->command->words, "config get");
    EXPECT_EQ(parse_text("service echo")->command->words, "service");
    EXPECT_EQ(parse_text("delete worker 3")->command->words, "delete worker");
}

// ---- Options

TEST(Parse, OptionsOfAServiceStandInAnyOrder) {
    const auto parsed = parse_text("config service thumbs max=8 idle-timeout=30s pick=WARM max-x");
    EXPECT_FALSE(parsed.has_value());
    const auto right = parse_text("config service thumbs max=8 idle-timeout=30s pick=WARM");
    ASSERT_TRUE(right.has_value());
    ServiceChange change;
    set_options(service_option_rows(), *right, change);
    EXPECT_EQ(change.max, std::optional<std::uint32_t>(8));
    EXPECT_EQ(change.idle_timeout, std::chrono::seconds(30));
    EXPECT_EQ(change.pick, engine::Pick::warm);
    EXPECT_EQ(change.min, std::nullopt);
}

TEST(Parse, IS1_WhatFollowsAPathBelongsToTheProgram) {
    const auto parsed =
        parse_text("config worker thumbs localhost slots=2 env=A=b env=C=d /w slots=3 --x 'a b'");
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->text(1), "localhost");
    EXPECT_EQ(parsed->text(2), "/w");
    EXPECT_EQ(parsed->rest, (Words{"slots=3", "--x", "a b"}));
    engine::WorkerDefinition definition;
    set_options(worker_option_rows(), *parsed, definition);
    EXPECT_EQ(definition.slots, 2U);
    EXPECT_EQ(definition.environment, (Words{"A=b", "C=d"}));
}

TEST(Parse, FreeTextMayLookLikeAnOption) {
    const auto parsed = parse(Words{"agent", "report", "h", "ended", "3", "holders=gone", "exit=1",
                                    "path=/x: no such file", "exit=2"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->rest, (Words{"path=/x: no such file", "exit=2"}));
    EXPECT_EQ(std::get<std::uint64_t>(*parsed->option("exit")), 1U);
}

// ---- Errors: place, what is wrong, what would be right

TEST(Parse, AnUnknownVerbNamesTheNearest) {
    EXPECT_EQ(refusal("servces"), "unknown command 'servces'; did you mean 'services'?");
    EXPECT_EQ(refusal("razmafritz"), "unknown command 'razmafritz'; 'help' lists the commands");
    EXPECT_TRUE(parse_text("razmafritz").error().text().starts_with(unknown_command_beginning));
    EXPECT_FALSE(parse_text("config servce").error().text().starts_with(unknown_command_beginning));
}

TEST(Parse, AnUnknownSecondWordNamesTheNearest) {
    EXPECT_EQ(refusal_in_short("config servce x"),
              "config: unknown word 'servce' (word 2); did you mean 'service'?");
    EXPECT_EQ(refusal_in_short("delete"),
              "delete: a word is missing; one of service|worker|client");
}

TEST(Parse, AnUnknownOptionNamesTheNearest) {
    EXPECT_EQ(refusal_in_short("config service thumbs pickk=ready"),
              "config service: unknown option 'pickk' (word 4); did you mean 'pick'?");
}

TEST(Parse, WrongWordsAreAnsweredWithTheFormatLine) {
    EXPECT_EQ(refusal("clone"), "clone: id is missing; format: clone ID");
    EXPECT_EQ(refusal("clone 1 2"), "clone: '2' is one word too many (word 3); format: clone ID");
    EXPECT_EQ(refusal("clone x"),
              "clone: id 'x' (word 2): not an id; 'workers' lists them; format: clone ID");
    EXPECT_EQ(
        refusal("workers bussy"),
        "workers: queue 'bussy' (word 2): unknown word; did you mean 'busy'?; format: workers "
        "[lazy|idle|busy|all]");
    EXPECT_EQ(refusal("route /a/ b prio=1"),
              "route: unknown option 'prio' (word 4); did you mean 'pri'?; format: route "
              "[HOST]/PREFIX SERVICE [method=METHOD,…] [pri=N]");
    EXPECT_EQ(refusal("route /a/ b pri=10"),
              "route: pri=10 (word 4): the number is out of range; from 0 to 9; format: route "
              "[HOST]/PREFIX SERVICE [method=METHOD,…] [pri=N]");
    EXPECT_EQ(refusal("delete"),
              "delete: a word is missing; one of service|worker|client; format: delete service "
              "SERVICE | delete worker ID | delete client ID");
    EXPECT_EQ(refusal("listen htp"),
              "listen: unknown word 'htp' (word 2); did you mean 'http'?; format: listen http "
              "ADDRESS [OPTION=VALUE …] | listen command ADDRESS [OPTION=VALUE …] | listen admin "
              "ADDRESS");
    EXPECT_EQ(refusal("buckets 12"), "buckets: secs is missing; format: buckets NUM SECS");
}

TEST(Parse, InAFileTheFormatLineStandsOnlyWhereNothingElseSaysWhatIsRight) {
    CommandError missing = parse_text("clone").error();
    missing.place = "baton.conf:3";
    EXPECT_EQ(missing.text(), "baton.conf:3: clone: id is missing; format: clone ID");
    CommandError unknown = parse_text("config service thumbs pickk=ready").error();
    unknown.place = "baton.conf:4";
    EXPECT_EQ(
        unknown.text(),
        "baton.conf:4: config service: unknown option 'pickk' (word 4); did you mean 'pick'?");
}

TEST(Parse, AWrongValueSaysWhatWouldBeRight) {
    EXPECT_EQ(refusal_in_short("config service a queue=many"),
              "config service: queue=many (word 4): not a number; from 0 to 1000000");
    EXPECT_EQ(refusal_in_short("config service a pri=10"),
              "config service: pri=10 (word 4): the number is out of range; from 0 to 9");
    EXPECT_EQ(refusal_in_short("config service a idle-timeout=soon"),
              "config service: idle-timeout=soon (word 4): not a time; write it as 500ms, 30s, 10m "
              "or 2h");
    EXPECT_EQ(refusal_in_short("config worker a h limit=nofiles:3 /w"),
              "config worker: limit=nofiles:3 (word 5): unknown resource; one of "
              "as|core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|"
              "sigpending|stack");
    EXPECT_EQ(refusal_in_short("config service a max=1 max=2"),
              "config service: option 'max' is given twice (word 5)");
}

TEST(Parse, LineBreaksOfAWordDoNotBreakTheMessage) {
    EXPECT_EQ(parse(Words{"foo\r\nbar"}).error().text(),
              "unknown command 'foo  bar'; 'help' lists the commands");
}

// ---- The table itself

TEST(Table, WordsAreUniqueAndInSmallLetters) {
    std::set<std::string_view> seen;
    for (const Command& command : command_table()) {
        EXPECT_TRUE(seen.insert(command.words).second) << command.words;
        EXPECT_EQ(lower_case(command.words), command.words);
        EXPECT_FALSE(command.summary.empty()) << command.words;
        EXPECT_FALSE(command.group.empty()) << command.words;
        EXPECT_EQ(command.place == Place::operations, command.run != nullptr) << command.words;
    }
}

TEST(Table, ExamplesAreCommands) {
    for (const Command& command : command_table()) {
        if (command.example.empty()) continue;
        const auto parsed = parse_text(command.example);
        ASSERT_TRUE(parsed.has_value()) << command.example << ": " << parsed.error().text();
        EXPECT_EQ(parsed->command, &command);
    }
}

TEST(Table, DefaultsAreWithinTheirLimits) {
    for (const Command& command : command_table()) {
        for (const Option& option : command.options) {
            if (option.fallback == nullptr) continue;
            const std::string text = value_text(option.type, option.fallback());
            if (text.empty()) continue;
            const std::string line = std::string(option.name) + "=" + text;
            const Words call =
                command.words == "config worker" ? Words{"config", "worker", "s", "h", line, "/w"}
                : command.words == "config service"
                    ? Words{"config", "service", "s", line}
                    : Words{"listen", std::string(command.words.substr(7)), "a", line};
            EXPECT_TRUE(parse(call).has_value()) << join(call) << parse(call).error().text();
        }
    }
}

TEST(Table, FormatLinesShowOptionsWhereTheyBelong) {
    EXPECT_EQ(format_line(*find_command("route")),
              "route [HOST]/PREFIX SERVICE [method=METHOD,…] [pri=N]");
    EXPECT_EQ(
        format_line(*find_command("config worker")),
        "config worker SERVICE HOST [slots=N] [user=TEXT] [directory=TEXT] [env=NAME=VALUE …] "
        "[limit=RESOURCE:LIMIT …] [output=TEXT] [argv=plain|isectd] "
        "[accept=itself|preload|adopt] [accept-port=N] PATH [ARGUMENTS…]");
}

RC_GTEST_PROP(Parse, AnyWordsAreParsedOrRefused, (Words words)) {
    // Known beginnings, or nearly all would be unknown verbs.
    const auto table = command_table();
    const auto index = *rc::gen::inRange<std::size_t>(0, table.size() + 1);
    if (index < table.size()) {
        const auto own = split_line(table[index].words);
        words.insert(words.begin(), own->begin(), own->end());
        for (std::size_t place = own->size(); place < words.size(); ++place) {
            const auto& options = table[index].options;
            if (options.empty() || place % 2 == 0) continue;
            words[place] = std::string(options[place % options.size()].name) + "=" + words[place];
        }
    }
    DryRun daemon;
    const auto parsed = parse(words);
    if (!parsed) {
        RC_ASSERT(!parsed.error().text().empty());
        RC_ASSERT(!parsed.error().text().contains('\n'));
    } else {
        (void)execute(*parsed, daemon);
    }
}

}  // namespace
}  // namespace baton::command
