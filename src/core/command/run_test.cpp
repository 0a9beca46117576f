#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "core/command/completion.hpp"
#include "core/command/dry_run.hpp"
#include "core/command/grammar.hpp"
#include "core/command/help.hpp"
#include "core/command/invocation.hpp"
#include "core/command/mask.hpp"
#include "core/command/table.hpp"

namespace baton::command {
namespace {

/// A daemon in memory that can read one file.
class Daemon : public DryRun {
public:
    Answer<std::string> read_file(const std::string& path) override {
        if (path == "baton.conf") return file;
        return refuse(path + ": cannot be read");
    }
    Answer<> delete_worker(WorkerId id) override {
        if (value_of(id) == busy_worker) return refuse("worker 1 is busy", "pause 1 first");
        return DryRun::delete_worker(id);
    }

    std::string file;
    std::uint32_t busy_worker = 0;
};

class Running : public testing::Test {
protected:
    Outcome outcome(std::string_view line) {
        const auto words = split_line(line);
        auto done = execute(*words, daemon_);
        if (done) return *std::move(done);
        ADD_FAILURE() << done.error().text();
        return {};
    }
    std::string answer(std::string_view line) { return outcome(line).text; }
    std::vector<std::string> changes(std::string_view line) { return outcome(line).changes; }
    std::string refusal(std::string_view line) {
        const auto done = execute(*split_line(line), daemon_);
        return done ? "" : done.error().text();
    }

    Daemon daemon_;
};

TEST_F(Running, IS1_AnswersOfTheSeed) {
    EXPECT_EQ(answer("config service echo"), "Ok.");
    EXPECT_EQ(answer("config worker echo localhost /usr/local/bin/isdecho"),
              "configured worker->id = 1, worker->name = echo");
    EXPECT_EQ(answer("config service eat"), "Ok.");
    EXPECT_EQ(answer("config worker eat localhost /usr/local/bin/isdeat"),
              "configured worker->id = 2, worker->name = eat");
    EXPECT_EQ(answer("config events 100"), "isdData.NumEvents = 100");
    EXPECT_EQ(answer("services"),
              "                         service          id\n"
              "                             eat           3\n"
              "                            echo           2\n"
              "                              op           1");
    EXPECT_EQ(answer("start echo"), "Ok.");
    EXPECT_EQ(answer("start all"), "Ok.");
    EXPECT_EQ(answer("pause echo"), "paused worker->id = 1, worker->name = echo");
    // Newest first.
    EXPECT_EQ(answer("pause all"),
              "paused worker->id = 2, worker->name = eat\n"
              "paused worker->id = 1, worker->name = echo");
    EXPECT_EQ(answer("ready echo"), "Ok.");
    EXPECT_EQ(answer("ready all"), "Ok.");
    EXPECT_EQ(answer("pause 2"), "paused worker->id = 2, worker->name = eat");
    EXPECT_EQ(answer("ready 2"), "readied worker->id = 2, worker->name = eat");
    EXPECT_EQ(answer("clone 2"), "cloned 3 from 2");
    EXPECT_EQ(answer("delete worker 3"), "worker 3 deleted");
    EXPECT_EQ(answer("stop echo"), "Ok.");
    EXPECT_EQ(answer("stop all"), "Ok.");
    EXPECT_EQ(answer("reset"), "Ok.");
}

TEST_F(Running, TheSameAsJson) {
    EXPECT_EQ(answer("json config service echo"), R"({"ok":true,"id":2,"service":"echo"})");
    EXPECT_EQ(answer("json config worker echo localhost /w"),
              R"({"ok":true,"id":1,"service":"echo"})");
    EXPECT_EQ(answer("json pause all"), R"({"ok":true,"workers":[{"id":1,"service":"echo"}]})");
    EXPECT_EQ(answer("json clone 1"), R"({"ok":true,"id":2,"from":1})");
    EXPECT_EQ(answer("json save").front(), '[');
    EXPECT_TRUE(outcome("json services").json);
    for (const Command& command : command_table()) {
        // Every command that needs no argument has a JSON form.
        if (!command.parameters.empty() || command.place == Place::session) continue;
        boost::system::error_code error;
        (void)boost::json::parse(answer("json " + std::string(command.words)), error);
        EXPECT_FALSE(error) << command.words;
    }
}

TEST_F(Running, ChangesRepeatTheCommandWithItsIds) {
    EXPECT_EQ(changes("config service echo max=3"),
              std::vector<std::string>{"config service echo max=3 id=2"});
    EXPECT_EQ(changes("Config Worker echo localhost '/a b' c"),
              std::vector<std::string>{"config worker echo localhost id=1 '/a b' c"});
    EXPECT_EQ(changes("clone 1"),
              std::vector<std::string>{"config worker echo localhost id=2 '/a b' c"});
    EXPECT_EQ(changes("reject"), std::vector<std::string>{"reject on"});
    EXPECT_EQ(changes("pause 1"), std::vector<std::string>{"pause 1"});
    EXPECT_TRUE(changes("workers").empty());
    EXPECT_TRUE(changes("reset").empty());
}

TEST_F(Running, ReplayedChangesMakeTheSameDaemon) {
    std::vector<std::string> journal;
    for (const auto* line :
         {"config service b", "config service a max=3", "config worker a localhost slots=3 /w",
          "config worker b localhost /x", "clone 1", "start b", "pause 2", "delete worker 1",
          "route / a", "route /b b method=GET", "unroute /", "config service a pri=5", "stop a",
          "delete service a", "config service c", "listen http 127.0.0.1:1", "buckets 3 5"}) {
        for (const std::string& change : changes(line)) journal.push_back(change);
    }
    Daemon again;
    for (const std::string& line : journal) {
        ASSERT_TRUE(execute(*split_line(line), again).has_value()) << line;
    }
    EXPECT_EQ(again.configuration(), daemon_.configuration());
}

TEST_F(Running, RefusalsNameCommandReasonAndRemedy) {
    EXPECT_EQ(refusal("delete worker 9"),
              "delete worker: there is no worker 9; 'workers' lists them");
    EXPECT_EQ(refusal("route / echo"),
              "route: there is no service 'echo'; 'services' lists them, 'config service NAME' "
              "defines one");
    EXPECT_EQ(refusal("config service op"),
              "config service: the service 'op' is built in; choose another name");
    EXPECT_EQ(refusal("config worker a h /w \xff"), "config worker: word 6 is not UTF-8");
    EXPECT_EQ(refusal("receive WAIT=1"),
              "receive: this command needs a connection of its own; send it to the command socket");
}

TEST_F(Running, ListeventsSaysHowToTurnThemOn) {
    (void)outcome("config events 0");
    // StatusView of a dry run says 0 as well.
    EXPECT_EQ(answer("listevents 10"), "events are off; turn them on by 'config events N'");
}

// ---- apply

TEST_F(Running, ApplyMakesTheConfigurationEqualToAFile) {
    (void)outcome("config service old");
    daemon_.file = "config service new max=1\nroute / new\n";
    const Outcome applied = outcome("apply baton.conf");
    EXPECT_EQ(applied.text, "config service new max=1\nroute / new\ndelete service old\nOk.");
    EXPECT_EQ(applied.changes, (std::vector<std::string>{"config service new max=1 id=3",
                                                         "route / new", "delete service old"}));
    EXPECT_EQ(answer("apply baton.conf"), "Ok. Nothing differs.");
}

TEST_F(Running, ApplyOfAWrongFileChangesNothing) {
    daemon_.file = "config service new\nroute / neww\nfoo\n";
    EXPECT_EQ(refusal("apply baton.conf"),
              "baton.conf:2: route: there is no service 'neww'; 'services' lists them, 'config "
              "service NAME' defines one; 1 more errors, see 'batond --check baton.conf'");
    EXPECT_EQ(daemon_.configuration(), Configuration{});
    EXPECT_EQ(refusal("apply other.conf"), "apply: other.conf: cannot be read");
}

TEST_F(Running, ApplyThatFailsHalfWaySaysSoAndKeepsWhatWasDone) {
    (void)outcome("config service a max=1");
    (void)outcome("config worker a localhost /w");
    daemon_.busy_worker = 1;
    daemon_.file = "config service a max=2\n";
    const Outcome applied = outcome("apply baton.conf");
    ASSERT_TRUE(applied.failed.has_value());
    EXPECT_EQ(applied.failed->text(),
              "apply: 'delete worker 1': delete worker: worker 1 is busy; pause 1 first; 2 of 3 "
              "changes were made (config service a max=2; pause 1); apply again for the rest");
    EXPECT_EQ(applied.changes,
              (std::vector<std::string>{"config service a max=2 id=2", "pause 1"}));
}

// ---- help

TEST(Help, IS8_HasIsectdsOwnLines) {
    const std::string help = help_text() + "\n";
    for (const std::string_view line : {
             "abort                    isectd calls abort() - creates a core file\n",
             "buckets num secs         set the number of buckets to 'num' and the bucket\n"
             "                         size to 'secs' seconds\n",
             "clients                  displays the client list\n",
             "clone workerid           clones a worker id\n",
             "config events n          remember n events (listevents)\n",
             "delete {worker|client} id\n"
             "                         deletes a client or worker\n",
             "halt                     isectd calls exit(1)\n",
             "listevents [n]           list interesting events\n",
             "pause service | worker | all\n"
             "                         pauses a worker (makes lazy) without killing it\n",
             "services                 lists isectd's services\n",
             "ready service | worker | all\n"
             "                         unpauses a worker\n",
             "reject                   force isectd to reject new client logins\n",
             "reset                    resets statistics\n",
             "start service | all      start processing messages for service\n",
             "stop service | all       stop processing messages for service\n",
             "worker id                examine the worker structure for worker id id\n",
             "workers [lazy | idle | busy | all]\n"
             "                         displays the worker queues\n",
             "<nil>                    examine isdData\n",
         }) {
        EXPECT_TRUE(help.contains(line)) << line << "is not in\n" << help;
    }
    EXPECT_TRUE(help.ends_with("<nil>                    examine isdData\n"));
}

TEST(Help, ListsNothingTwiceAndNoRedisCommands) {
    const std::string help = help_text();
    EXPECT_EQ(help.find("deletes a client or worker"), help.rfind("deletes a client or worker"));
    EXPECT_FALSE(help.contains("hello"));
}

TEST_F(Running, HelpOfOneCommandShowsItsOptions) {
    const std::string help = answer("help config service");
    EXPECT_TRUE(help.starts_with("config service SERVICE [pick=ready|warm]"));
    EXPECT_TRUE(help.contains("\n  idle-timeout=TIME  (default 1m, 0s to 365d)\n"));
    EXPECT_FALSE(help.contains("id=N"));
    EXPECT_TRUE(answer("help config").contains("config maxusers N"));
    const auto one = boost::json::parse(answer("json help pause")).as_array();
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].at("words"), "pause");
    EXPECT_GT(boost::json::parse(answer("json help config")).as_array().size(), 3U);
    EXPECT_EQ(refusal("json help frobnicate"), refusal("help frobnicate"));
    EXPECT_EQ(refusal("help frobnicate"),
              "help: there is no command 'frobnicate'; 'help' lists them");
}

TEST(Help, TheTableAsJsonDescribesEachCommand) {
    const auto table = boost::json::parse(table_json()).as_array();
    EXPECT_EQ(table.size(), command_table().size());
    const auto& service = table[0].as_object();
    EXPECT_EQ(service.at("words"), "config service");
    EXPECT_EQ(service.at("options").as_array().front(), boost::json::parse(R"({
        "name": "pick", "type": "choice", "repeated": false, "choices": ["ready", "warm"],
        "default": "ready", "summary": "Which worker with a free slot gets the next request: the one that has been ready longest, or the one that became ready last, which keeps caches warm."
    })"));
}

// ---- completion

TEST(Completion, OffersVerbsNamesAndOptions) {
    const CompletionNames names{.services = {"echo", "eat"}, .workers = {"1", "2"}, .clients = {}};
    using Words = std::vector<std::string>;
    EXPECT_EQ(complete("serv", names), (Words{"services", "service"}));
    EXPECT_EQ(complete("service ", names), (Words{"echo", "eat"}));
    EXPECT_EQ(complete("START e", names), (Words{"echo", "eat"}));
    EXPECT_EQ(complete("pause ", names), (Words{"echo", "eat", "1", "2", "all"}));
    EXPECT_EQ(complete("json workers i", names), Words{"idle"});
    EXPECT_EQ(complete("config s", names), Words{"service"});
    EXPECT_EQ(complete("config service echo idle", names), Words{"idle-timeout="});
    EXPECT_EQ(complete("config service echo pick=w", names), Words{"pick=warm"});
    EXPECT_TRUE(complete("config worker echo localhost /w sl", names).empty());
    EXPECT_EQ(complete("config worker echo localhost sl", names), Words{"slots="});
    EXPECT_TRUE(complete("start 'e", names).empty());
    EXPECT_TRUE(complete("help con", names).size() == 1);
}

// ---- secrets

TEST(Mask, HidesCredentialsInHeads) {
    EXPECT_EQ(
        mask_credentials("GET /a?b=c&access_token=x&d HTTP/1.1\r\nHost: h\r\n"
                         "Authorization: Basic abc\r\ncookie: a=b\r\nX-Api-Key:k\r\nAccept: */*"),
        "GET /a?b=c&access_token=***&d HTTP/1.1\r\nHost: h\r\n"
        "Authorization: ***\r\ncookie: ***\r\nX-Api-Key: ***\r\nAccept: */*");
    EXPECT_EQ(mask_credentials("GET / HTTP/1.1\r\nAuthorization: Bas"),
              "GET / HTTP/1.1\r\nAuthorization: ***");
    EXPECT_EQ(mask_credentials(""), "");
}

TEST(Mask, HidesTokensInCommandLines) {
    EXPECT_EQ(mask_secrets("listen command 127.0.0.1:1 token=abc"),
              "listen command 127.0.0.1:1 token=***");
    EXPECT_EQ(mask_secrets("listen command a token='a b' x"), "listen command a token=*** x");
    EXPECT_EQ(mask_secrets("listen command a 'token=a b'"), "listen command a token=***");
    EXPECT_EQ(mask_secrets("config worker a h env=KEY=abc 'env=B=c d' /w 'x y'"),
              "config worker a h env=KEY=*** env=B=*** /w 'x y'");
    EXPECT_EQ(mask_secrets("listen 'command token=abc"), "***");
    EXPECT_EQ(mask_secrets("AUTH abc"), "AUTH ***");
    EXPECT_EQ(mask_secrets("workers"), "workers");
}

TEST(Autodefine, AServiceIsDefinedByWhoeverNamesItAndIsKept) {
    DryRun daemon(Syntax{.address = {}, .route = {}, .autodefine = true});
    const auto words = split_line("config worker thumb localhost /bin/thumb");
    ASSERT_TRUE(words.has_value());
    const auto done = execute(*words, daemon);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->changes,
              (std::vector<std::string>{"config service thumb id=2",
                                        "config worker thumb localhost id=1 /bin/thumb"}));
    // A second worker defines nothing any more; what is no name is refused as ever.
    EXPECT_EQ(execute(*words, daemon)->changes.size(), 1U);
    EXPECT_FALSE(execute(*split_line("config worker 7 localhost /bin/thumb"), daemon).has_value());
}

}  // namespace
}  // namespace baton::command
