// The port over real sockets: its loop on a thread of its own, the test as the client.

#include "io/port/port.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/command/dry_run.hpp"
#include "core/command/operations.hpp"
#include "core/wire/attach_block.hpp"
#include "core/wire/resp.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/poll.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/socket.hpp"

namespace baton::port {
namespace {

using command::Answer;
using wire::RespValue;
using Words = std::vector<std::string>;
using Kind = RespValue::Kind;

constexpr auto patience = std::chrono::seconds(30);

/// A daemon in memory that also knows attach and agents, as the test tells it.
class Daemon : public command::DryRun {
public:
    void commit(command::Change change, std::move_only_function<void(Result<>)> done) override {
        for (std::string& line : change.lines) changes.push_back(std::move(line));
        who = change.who;
        if (hold_commits) {
            held.push_back(std::move(done));
        } else {
            done({});
        }
    }
    void set_attach_servers(const std::string& service, std::uint32_t count) override {
        attach_servers[service] = count;
    }
    bool attach_wanted(const std::string& service) override { return wanted[service] > 0; }
    Answer<engine::AttachCounters> attach_taken(const std::string& service) override {
        if (wanted[service] == 0) return command::refuse("nothing is wanted");
        --wanted[service];
        return engine::AttachCounters{.failed_lookups = 3,
                                      .registered = 1,
                                      .pending_conversations = 2,
                                      .active_conversations = 5};
    }
    Answer<> agent_arrived(const std::string& host, std::uint32_t process_id,
                           const std::vector<command::RunningWorker>& running) override {
        if (host == "elsewhere") return command::refuse("no worker is defined for this host");
        agents[host] = process_id;
        adopted.clear();
        for (const auto& worker : running) {
            adopted += std::to_string(value_of(worker.worker)) + " " +
                       std::to_string(worker.process_id) + " " + worker.service + ";";
        }
        if (on_arrival) on_arrival();
        return {};
    }
    void agent_left(const std::string& host) override { agents.erase(host); }
    void terminate() override { terminated = true; }
    command::StatusView status() override {
        command::StatusView view;
        view.host = std::string(status_size, 'h');
        return view;
    }

    Words changes;
    std::string who;
    bool hold_commits = false;
    std::deque<std::move_only_function<void(Result<>)>> held;
    std::map<std::string, std::uint32_t> attach_servers;
    std::map<std::string, int> wanted;
    std::map<std::string, std::uint32_t> agents;
    std::string adopted;
    std::function<void()> on_arrival;
    bool terminated = false;
    std::size_t status_size = 1;
};

/// A blocking client.
class Client {
public:
    explicit Client(const os::Address& address)
        : socket_(*os::connect_to(address, os::SocketKind::stream)) {}

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = os::send_some(socket_.borrow(), std::as_bytes(std::span(bytes)));
            if (sent) {
                bytes.remove_prefix(*sent);
            } else if (sent.error().code == Errc::would_block) {
                ASSERT_TRUE(os::wait_until(socket_.borrow(), os::Becomes::writable, patience));
            } else {
                return;  // the port has closed it, which the test will see
            }
        }
    }
    void send_words(const Words& words) {
        std::string bytes;
        wire::append_command(bytes, words);
        send(bytes);
    }

    /// The next reply; nullopt: the port has closed the connection.
    std::optional<RespValue> reply() {
        for (;;) {
            auto value = decoder_.next();
            if (!value) {
                ADD_FAILURE() << "no RESP";
                return std::nullopt;
            }
            if (*value) return **std::move(value);
            if (!receive()) return std::nullopt;
        }
    }
    RespValue ask(const Words& words) {
        send_words(words);
        return reply().value_or(RespValue{Kind::error, "closed", {}});
    }
    std::string text(const Words& words) { return ask(words).text; }

    /// Whether nothing has come yet.
    bool silent() {
        const auto next = decoder_.next();
        return next && !*next &&
               !os::wait_until(socket_.borrow(), os::Becomes::readable, Duration::zero());
    }
    bool closed() { return !reply().has_value(); }
    void end_writing() { os::shutdown_writing(socket_.borrow()); }
    void close() { socket_.reset(); }

private:
    bool receive() {
        std::array<char, 4096> buffer;  // NOLINT(*-member-init)
        for (;;) {
            const auto got =
                os::receive_some(socket_.borrow(), std::as_writable_bytes(std::span(buffer)));
            if (got && *got > 0) {
                decoder_.append(std::string_view(buffer.data(), *got));
                return true;
            }
            if (got || got.error().code != Errc::would_block) return false;
            if (!os::wait_until(socket_.borrow(), os::Becomes::readable, patience)) {
                ADD_FAILURE() << "nothing came";
                return false;
            }
        }
    }

    os::UniqueFd socket_;
    wire::ReplyDecoder decoder_;
};

class PortTest : public testing::Test {
protected:
    PortTest()
        : address_(*os::Address::parse("unix:" + testing::TempDir() + "baton-port-" +
                                       std::to_string(os::own_process_id()) + ".sock")),
          log_("test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_text_)) {
        options_.new_client_id = [this] { return ClientId{++last_client_}; };
    }
    ~PortTest() override {
        if (!thread_.joinable()) return;
        on_loop([this] { port_.reset(); });
        loop_.stop();
        thread_.join();
    }

    /// Builds the port and lets the loop run.
    void begin() {
        port_ = std::make_unique<Port>(loop_, daemon_, log_, options_);
        ASSERT_TRUE(port_->listen(address_, "").has_value());
        thread_ = std::thread([this] { loop_.run(); });
    }

    /// On the loop's thread, where everything but the clients lives.
    template <typename Function>
    std::invoke_result_t<Function> on_loop(Function function) {
        std::promise<decltype(function())> promise;
        auto future = promise.get_future();
        loop_.post([&] {
            if constexpr (std::is_void_v<decltype(function())>) {
                function();
                promise.set_value();
            } else {
                promise.set_value(function());
            }
        });
        return future.get();
    }

    Client connect() { return Client(address_); }
    /// Until what another connection's end has caused is seen.
    void wait_until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!on_loop(condition)) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            std::this_thread::yield();
        }
    }

    os::Address address_;
    std::ostringstream log_text_;
    spdlog::logger log_;
    Daemon daemon_;
    Port::Options options_;
    std::uint64_t last_client_ = 0;
    loop::EventLoop loop_;
    std::unique_ptr<Port> port_;
    std::thread thread_;
};

// ---- Commands and their answers

TEST_F(PortTest, ArraysAndLinesAreTheSameLanguage) {
    begin();
    Client client = connect();
    EXPECT_EQ(client.text({"config", "service", "echo"}), "Ok.");
    client.send("config worker echo localhost /w 'a b'\r\n");
    EXPECT_EQ(client.reply()->text, "configured worker->id = 1, worker->name = echo");
    EXPECT_EQ(client.text({"json", "workers"}).front(), '[');
    // The empty command, as an empty line and as an empty word.
    client.send("\r\n");
    EXPECT_TRUE(client.reply()->text.starts_with("isdData.configfile"));
    EXPECT_TRUE(client.text({""}).starts_with("isdData.configfile"));
    EXPECT_EQ(on_loop([&] { return daemon_.changes; }),
              (Words{"config service echo id=2", "config worker echo localhost id=1 /w 'a b'"}));
    EXPECT_TRUE(on_loop([&] { return daemon_.who; }).starts_with("uid "));
}

TEST_F(PortTest, ErrorsAreErrors) {
    begin();
    Client client = connect();
    const RespValue error = client.ask({"config", "service", "a", "pickk=ready"});
    EXPECT_TRUE(error.is_error());
    EXPECT_TRUE(error.text.starts_with(
        "ERR config service: unknown option 'pickk' (word 4); did you mean 'pick'?; format: config "
        "service SERVICE [pick=ready|warm] "));
    EXPECT_EQ(client.text({"servces"}), "ERR unknown command 'servces'; did you mean 'services'?");
    client.send("a 'b\r\n");
    EXPECT_EQ(client.reply()->text, "ERR the quote ' in column 3 is not closed");
}

TEST_F(PortTest, AnErrorIsOneLineInVersion3TooSinceRedisCliKnowsNoOther) {
    begin();
    Client client = connect();
    EXPECT_EQ(client.ask({"HELLO", "3"}).kind, Kind::map);
    const RespValue error = client.ask({"razmafritz"});
    EXPECT_TRUE(error.is_error());
    EXPECT_EQ(error.text, "ERR unknown command 'razmafritz'; 'help' lists the commands");
}

TEST_F(PortTest, AnswersKeepTheOrderOfCommands) {
    begin();
    Client client = connect();
    std::string bytes;
    for (int count = 0; count < 200; ++count) {
        wire::append_command(bytes, Words{"ECHO", std::to_string(count)});
    }
    client.send(bytes);
    for (int count = 0; count < 200; ++count) {
        EXPECT_EQ(client.reply()->text, std::to_string(count));
    }
}

TEST_F(PortTest, AnAnswerWaitsForTheDiskAndSoDoTheLaterOnes) {
    daemon_.hold_commits = true;
    begin();
    Client client = connect();
    Client other = connect();
    client.send_words({"config", "service", "a"});
    client.send_words({"config", "service", "b"});
    client.send_words({"PING"});
    // Both were carried out, none is answered; other connections do not wait.
    wait_until([&] { return daemon_.held.size() == 2; });
    EXPECT_EQ(other.text({"PING"}), "PONG");
    EXPECT_TRUE(client.silent());
    on_loop([&] { daemon_.held[1]({}); });
    EXPECT_EQ(other.text({"PING"}), "PONG");
    EXPECT_TRUE(client.silent());
    on_loop([&] { daemon_.held[0](fail(Errc::system_call)); });
    const auto first = client.reply();
    EXPECT_TRUE(first->is_error());
    EXPECT_TRUE(first->text.starts_with("ERR the change holds, but it is not durable"));
    EXPECT_EQ(client.reply()->text, "Ok.");
    EXPECT_EQ(client.reply()->text, "PONG");
}

TEST_F(PortTest, ADurableChangeOfAClientThatLeftHarmsNobody) {
    daemon_.hold_commits = true;
    begin();
    Client client = connect();
    client.send_words({"config", "service", "a"});
    wait_until([&] { return daemon_.held.size() == 1; });
    client.close();
    wait_until([&] { return port_->clients().empty(); });
    on_loop([&] { daemon_.held[0]({}); });
    EXPECT_EQ(connect().text({"PING"}), "PONG");
}

TEST_F(PortTest, ACommandInPiecesAndAHalfClosedClientAreAnswered) {
    begin();
    Client client = connect();
    client.send("*2\r\n$4\r\nEC");
    EXPECT_EQ(connect().text({"PING"}), "PONG");
    client.send("HO\r\n$1\r\nx\r\nservices");
    EXPECT_EQ(client.reply()->text, "x");
    // As `printf services | nc -N -U` does, without a final line break: not a command.
    client.send("\r\n");
    client.end_writing();
    EXPECT_TRUE(client.reply()->text.contains("op"));
    EXPECT_TRUE(client.closed());
}

TEST_F(PortTest, QuitClosesTheConnectionAndNothingElse) {
    begin();
    Client client = connect();
    EXPECT_EQ(client.text({"QUIT"}), "OK");
    EXPECT_TRUE(client.closed());
    EXPECT_FALSE(on_loop([&] { return daemon_.terminated; }));
    Client other = connect();
    EXPECT_EQ(other.text({"terminate"}), "Ok.");
    EXPECT_TRUE(on_loop([&] { return daemon_.terminated; }));
}

// ---- Who may not

TEST_F(PortTest, WebPagesAreKeptOut) {
    begin();
    for (const std::string_view request :
         {"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nreject on\r\n",
          "GET / HTTP/1.1\r\n\r\nreject on\r\n", "post /\r\nreject on\r\n",
          "HOST: x\r\nreject on\r\n", "X / http/1.0\r\nreject on\r\n"}) {
        Client client = connect();
        client.send(request);
        EXPECT_TRUE(client.closed()) << request;
    }
    EXPECT_FALSE(on_loop([&] { return daemon_.configuration().rejecting; }));
    EXPECT_TRUE(on_loop([&] { return log_text_.str(); }).contains("it speaks HTTP"));
}

TEST_F(PortTest, WhatIsNoRespEndsTheConnection) {
    begin();
    Client client = connect();
    client.send("*1\r\n$-1\r\n*1\r\n$6\r\nreject\r\n");
    EXPECT_EQ(client.reply()->text, "ERR Protocol error: invalid bulk length");
    EXPECT_TRUE(client.closed());
    EXPECT_FALSE(on_loop([&] { return daemon_.configuration().rejecting; }));
}

TEST_F(PortTest, ATcpPortNeedsATokenAndAsksForIt) {
    begin();
    const auto tcp = *os::Address::parse("127.0.0.1:0");
    EXPECT_EQ(on_loop([&] { return port_->listen(tcp, ""); }).error().code, Errc::invalid_argument);
    const auto bound = on_loop([&] { return port_->listen(tcp, "secret"); });
    ASSERT_TRUE(bound.has_value());
    Client client(*bound);
    EXPECT_EQ(client.text({"workers"}), "NOAUTH Authentication required.");
    EXPECT_EQ(client.text({"foo"}), "NOAUTH Authentication required.");
    EXPECT_TRUE(client.text({"AUTH", "Secret"}).starts_with("WRONGPASS"));
    EXPECT_EQ(client.text({"AUTH", "secret"}), "OK");
    EXPECT_FALSE(client.ask({"workers"}).is_error());

    Client by_hello(*bound);
    EXPECT_TRUE(by_hello.text({"HELLO", "3"}).starts_with("NOAUTH"));
    EXPECT_EQ(by_hello.ask({"HELLO", "3", "AUTH", "default", "secret"}).kind, Kind::map);

    Client guesser(*bound);
    for (int count = 0; count < 3; ++count) EXPECT_TRUE(guesser.ask({"AUTH", "x"}).is_error());
    EXPECT_TRUE(guesser.closed());

    Client large(*bound);
    large.send("*1\r\n$20000\r\n");
    EXPECT_TRUE(large.reply()->is_error());
    EXPECT_TRUE(large.closed());
}

TEST_F(PortTest, ASlowReaderIsClosed) {
    // More than the limit and what the kernel takes.
    daemon_.status_size = 4'000'000;
    options_.output_limit = 512UL * 1024UL;
    begin();
    Client client = connect();
    client.send_words({"status"});
    // Before the client is taken there is none either: the line of the log tells that it was there.
    wait_until([&] { return log_text_.str().contains("it does not read its answers"); });
    wait_until([&] { return port_->clients().empty(); });
}

TEST_F(PortTest, WhoReadsLaterGetsAllAnswers) {
    daemon_.status_size = 100'000;
    options_.output_limit = 1024UL * 1024UL;
    begin();
    Client client = connect();
    std::string bytes;
    for (int count = 0; count < 100; ++count) wire::append_command(bytes, Words{"status"});
    client.send(bytes);
    for (int count = 0; count < 100; ++count) {
        const auto reply = client.reply();
        ASSERT_TRUE(reply.has_value());
        EXPECT_GT(reply->text.size(), 100'000U);
    }
}

TEST_F(PortTest, ThereAreNoMoreSessionsThanTheLimit) {
    options_.session_limit = 2;
    begin();
    Client one = connect();
    Client two = connect();
    EXPECT_EQ(one.text({"PING"}), "PONG");
    EXPECT_EQ(two.text({"PING"}), "PONG");
    Client three = connect();
    EXPECT_EQ(three.reply()->text, "ERR max number of clients reached");
    EXPECT_TRUE(three.closed());
    one.close();
    wait_until([&] { return port_->clients().size() == 1; });
    EXPECT_EQ(connect().text({"PING"}), "PONG");
}

// ---- What Redis clients say

TEST_F(PortTest, RedisClientsAreAnsweredAsByRedis) {
    begin();
    Client client = connect();
    EXPECT_EQ(client.text({"PING"}), "PONG");
    EXPECT_EQ(client.text({"ping", "x"}), "x");
    EXPECT_EQ(client.text({"SELECT", "0"}), "OK");
    EXPECT_TRUE(client.ask({"SELECT", "1"}).is_error());
    EXPECT_EQ(client.text({"CLIENT", "SETINFO", "LIB-NAME", "redis-py"}), "OK");
    EXPECT_EQ(client.ask({"CLIENT", "GETNAME"}).kind, Kind::null);
    EXPECT_EQ(client.text({"CLIENT", "SETNAME", "me"}), "OK");
    EXPECT_EQ(client.text({"CLIENT", "GETNAME"}), "me");
    EXPECT_EQ(client.ask({"CLIENT", "ID"}).kind, Kind::number);
    EXPECT_EQ(client.ask({"CONFIG", "GET", "save"}).items.size(), 2U);
    EXPECT_TRUE(client.ask({"CONFIG", "GET", "maxmemory"}).items.empty());
    EXPECT_FALSE(client.ask({"COMMAND", "DOCS"}).items.empty());
    EXPECT_FALSE(client.ask({"COMMAND"}).items.empty());
    EXPECT_TRUE(client.text({"INFO"}).starts_with("# Server"));
    EXPECT_TRUE(client.ask({"AUTH", "x"}).is_error());
    EXPECT_TRUE(client.ask({"HELLO", "4"}).text.starts_with("NOPROTO"));
    const RespValue two = client.ask({"HELLO", "2", "SETNAME", "other"});
    EXPECT_EQ(two.kind, Kind::array);
    EXPECT_EQ(two.items.size(), 14U);
    EXPECT_EQ(client.text({"CLIENT", "GETNAME"}), "other");
}

// ---- Attach servers

TEST_F(PortTest, EX2_AWaitingReceiveIsAnsweredWhenAServerIsWanted) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    EXPECT_EQ(client.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"}).items[0].text, "00000000");
    EXPECT_EQ(on_loop([&] { return daemon_.attach_servers["echo"]; }), 1U);
    client.send_words(
        {"RECEIVE", "SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*,WAIT=10M,RECEIVE-LENGTH=150"});
    // A RECEIVE holds back what follows it.
    client.send_words({"PING"});
    EXPECT_EQ(connect().text({"PING"}), "PONG");
    EXPECT_TRUE(client.silent());
    on_loop([&] {
        daemon_.wanted["echo"] = 1;
        port_->attach_wanted("echo");
    });
    const auto answer = client.reply();
    ASSERT_EQ(answer->items.size(), 7U);
    EXPECT_EQ(answer->items[0].text, "00100022");
    EXPECT_EQ(answer->items[1].text, "attach service required");
    EXPECT_EQ(answer->items[2].text, "SERVER-CLASS=*");
    EXPECT_EQ(answer->items[3].text, "SERVER-NAME=*");
    EXPECT_EQ(answer->items[4].text, "SERVICE=echo");
    EXPECT_EQ(answer->items[5].text, "RETURN-LENGTH=116");
    const auto block = wire::decode_attach_block(std::as_bytes(std::span(answer->items[6].text)));
    ASSERT_TRUE(block.has_value());
    EXPECT_EQ(block->attach_count, 3U);
    EXPECT_EQ(block->server_count, 1U);
    EXPECT_EQ(block->pending_count, 2U);
    EXPECT_EQ(block->active_count, 5U);
    EXPECT_EQ(block->service, "echo");
    EXPECT_EQ(client.reply()->text, "PONG");
}

TEST_F(PortTest, EX3_NothingWithinTheWaitTime) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=NO"}).items[0].text, "00070007");
    (void)client.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=NO"}).items[0].text, "00740074");
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=10MS"}).items[0].text, "00740074");
    EXPECT_EQ(client.ask({"RECEIVE", "SERVICE=other,WAIT=NO"}).items[0].text, "00070007");
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=soon"}).items[0].text, "00200134");
}

TEST_F(PortTest, EX1_RegistrationsAndTheirCodes) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    (void)client.ask({"config", "service", "C1/N1/S1"});
    const auto code = [&](const Words& words) { return client.ask(words).items[0].text; };
    EXPECT_EQ(code({"REGISTER", "SERVICE=none,OPTION=ATTACH"}), "00070007");
    EXPECT_EQ(code({"REGISTER", "SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*,OPTION=ATTACH"}),
              "00130100");
    EXPECT_EQ(code({"REGISTER", "SERVICE=echo"}), "00200134");
    EXPECT_EQ(code({"REGISTER", "SERVISE=echo"}), "00200134");
    EXPECT_EQ(code({"register", "SERVER-CLASS=C1,SERVER-NAME=N1,SERVICE=S1,OPTION=ATTACH"}),
              "00000000");
    EXPECT_EQ(code({"REGISTER", "SERVER-CLASS=C1,SERVER-NAME=N1,SERVICE=S1,OPTION=ATTACH"}),
              "00000000");
    EXPECT_EQ(on_loop([&] { return daemon_.attach_servers["C1/N1/S1"]; }), 1U);
    EXPECT_EQ(code({"DEREGISTER", "SERVICE=echo"}), "00070007");
    // EX6: wildcards, then LOGOFF.
    EXPECT_EQ(code({"DEREGISTER", "SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*"}), "00000000");
    EXPECT_EQ(on_loop([&] { return daemon_.attach_servers["C1/N1/S1"]; }), 0U);
    EXPECT_EQ(code({"REGISTER", "SERVICE=echo,OPTION=ATTACH"}), "00000000");
    EXPECT_EQ(code({"LOGOFF"}), "00000000");
    EXPECT_EQ(on_loop([&] { return daemon_.attach_servers["echo"]; }), 0U);
    EXPECT_EQ(code({"LOGON", "USER-ID=me"}), "00000000");
    EXPECT_EQ(code({"VERSION"}), "00000000");
}

TEST_F(PortTest, ALineIsAnsweredByALine) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    client.send("REGISTER SERVICE=echo,OPTION=ATTACH\r\n");
    EXPECT_EQ(client.reply()->text, "00000000 success");
    on_loop([&] { daemon_.wanted["echo"] = 1; });
    client.send("RECEIVE WAIT=1M\r\n");
    const std::string line = client.reply()->text;
    EXPECT_TRUE(
        line.starts_with("00100022 attach service required SERVER-CLASS=* SERVER-NAME=* "
                         "SERVICE=echo RETURN-LENGTH=116 PAYLOAD=0100000003000000"))
        << line;
}

TEST_F(PortTest, ABufferThatIsTooSmallKeepsTheNotification) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    (void)client.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    on_loop([&] { daemon_.wanted["echo"] = 1; });
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=NO,RECEIVE-LENGTH=115"}).items[0].text, "00200094");
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=NO,RECEIVE-LENGTH=116"}).items[0].text, "00100022");
    EXPECT_EQ(client.ask({"RECEIVE", "WAIT=NO,RECEIVE-LENGTH=116"}).items[0].text, "00740074");
}

TEST_F(PortTest, SeveralAttachServersTakeTurns) {
    begin();
    std::deque<Client> clients;
    for (int count = 0; count < 3; ++count) {
        clients.push_back(connect());
        (void)clients.back().ask({"config", "service", "echo"});
        (void)clients.back().ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    }
    EXPECT_EQ(on_loop([&] { return daemon_.attach_servers["echo"]; }), 3U);
    for (int round = 0; round < 2; ++round) {
        for (Client& client : clients) client.send_words({"RECEIVE", "WAIT=1M"});
        for (Client& client : clients) {
            // In the order of registration: each of them is the one told longest ago.
            wait_until([&] { return port_->clients().size() == 3; });
            on_loop([&] {
                daemon_.wanted["echo"] = 1;
                port_->attach_wanted("echo");
            });
            EXPECT_EQ(client.reply()->items[0].text, "00100022");
        }
    }
}

TEST_F(PortTest, ManyCanStartInParallelAndNoneIsAskedTwice) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    (void)client.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    for (int count = 0; count < 4; ++count) client.send_words({"RECEIVE", "WAIT=1M"});
    on_loop([&] {
        daemon_.wanted["echo"] = 3;
        port_->attach_wanted("echo");
    });
    for (int count = 0; count < 3; ++count) EXPECT_EQ(client.reply()->items[0].text, "00100022");
    EXPECT_EQ(connect().text({"PING"}), "PONG");
    EXPECT_TRUE(client.silent());
}

TEST_F(PortTest, RegistrationsHoldForAServiceThatIsDefinedAgain) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    (void)client.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    client.send_words({"RECEIVE", "WAIT=1M"});
    EXPECT_EQ(connect().text({"PING"}), "PONG");
    on_loop([&] {
        daemon_.attach_servers["echo"] = 0;  // a new service of this name knows of nobody
        daemon_.wanted["echo"] = 1;
        port_->service_defined("echo");
        port_->service_defined("other");
    });
    EXPECT_EQ(on_loop([&] { return daemon_.attach_servers; }),
              (std::map<std::string, std::uint32_t>{{"echo", 1}}));
    EXPECT_EQ(client.reply()->items[0].text, "00100022");
}

TEST_F(PortTest, AnAttachServerThatGoesAwayLosesItsRegistrations) {
    begin();
    Client client = connect();
    (void)client.ask({"config", "service", "echo"});
    (void)client.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    client.send_words({"RECEIVE", "WAIT=1M"});
    EXPECT_EQ(connect().text({"PING"}), "PONG");
    client.close();
    wait_until([&] { return daemon_.attach_servers["echo"] == 0; });
    on_loop([&] {
        daemon_.wanted["echo"] = 1;
        port_->attach_wanted("echo");  // nobody is there: nothing is taken
    });
    EXPECT_EQ(on_loop([&] { return daemon_.wanted["echo"]; }), 1);
}

// ---- Agents

TEST_F(PortTest, OrdersComeBehindTheAnswerToWatch) {
    daemon_.on_arrival = [&] { EXPECT_TRUE(port_->order_kill("localhost", WorkerId{7})); };
    begin();
    Client agent = connect();
    agent.send_words({"agent", "watch", "localhost", "pid=812", "running=3:900:*/*/thumbs,4:901"});
    EXPECT_EQ(agent.reply()->text, "OK");
    EXPECT_EQ(agent.reply()->items,
              (std::vector<RespValue>{
                  {Kind::text, "order", {}}, {Kind::text, "kill", {}}, {Kind::text, "7", {}}}));
    EXPECT_EQ(on_loop([&] { return daemon_.adopted; }), "3 900 */*/thumbs;4 901 ;");
    EXPECT_TRUE(on_loop([&] { return port_->agent_connected("localhost"); }));

    command::AgentWorker worker;
    worker.id = WorkerId{5};
    worker.service = "thumbs";
    on_loop([&] {
        EXPECT_TRUE(port_->order_start("localhost", worker));
        EXPECT_TRUE(port_->order_drain("localhost", WorkerId{5}, std::chrono::seconds(30),
                                       std::chrono::seconds(10)));
        EXPECT_TRUE(port_->order_config("localhost"));
        EXPECT_FALSE(port_->order_config("elsewhere"));
        port_->order_end();
    });
    const auto start = agent.reply();
    EXPECT_EQ(start->items[1].text, "start");
    EXPECT_EQ(start->items[2].text, "5");
    EXPECT_TRUE(start->items[3].text.contains("\"service\":\"thumbs\""));
    const auto drain = agent.reply();
    EXPECT_EQ(drain->items[3].text, "drain_ms=30000");
    EXPECT_EQ(drain->items[4].text, "stop_ms=10000");
    EXPECT_EQ(agent.reply()->items[1].text, "config");
    EXPECT_EQ(agent.reply()->items[1].text, "end");

    agent.close();
    wait_until([&] { return daemon_.agents.empty(); });
    EXPECT_FALSE(on_loop([&] { return port_->agent_connected("localhost"); }));
}

TEST_F(PortTest, ThereIsOneAgentPerHost) {
    begin();
    Client first = connect();
    EXPECT_EQ(first.text({"agent", "watch", "localhost", "pid=812"}), "OK");
    Client second = connect();
    EXPECT_EQ(second.text({"agent", "watch", "localhost", "pid=900"}),
              "ERR agent watch: the agent of localhost is there already (pid 812); one per host; "
              "end that one first");
    EXPECT_EQ(second.text({"agent", "watch", "otherhost", "pid=900"}), "OK");
    // The same process on a new connection: the end of the old one is not known yet.
    Client again = connect();
    EXPECT_EQ(again.text({"agent", "watch", "localhost", "pid=812"}), "OK");
    EXPECT_TRUE(first.closed());
    EXPECT_TRUE(on_loop([&] { return port_->order_config("localhost"); }));
    EXPECT_EQ(again.reply()->items[1].text, "config");
}

TEST_F(PortTest, AWatchThatIsRefusedLeavesAnOrdinaryConnection) {
    begin();
    Client client = connect();
    EXPECT_EQ(client.text({"agent", "watch", "elsewhere"}),
              "ERR agent watch: no worker is defined for this host");
    EXPECT_TRUE(client.ask({"agent", "watch", "localhost", "running=1"}).is_error());
    EXPECT_EQ(client.text({"PING"}), "PONG");
    EXPECT_EQ(client.text({"agent", "watch", "localhost"}), "OK");
    EXPECT_TRUE(client.ask({"PING"}).is_error());
}

// ---- The end

TEST_F(PortTest, AtTheEndAnswersGoOutAndEverybodyIsClosed) {
    begin();
    Client client = connect();
    Client waiting = connect();
    (void)client.ask({"config", "service", "echo"});
    (void)waiting.ask({"REGISTER", "SERVICE=echo,OPTION=ATTACH"});
    waiting.send_words({"RECEIVE", "WAIT=10M"});
    EXPECT_EQ(client.text({"PING"}), "PONG");
    std::promise<void> closed;
    on_loop([&] { port_->close(std::chrono::seconds(20), [&] { closed.set_value(); }); });
    EXPECT_EQ(closed.get_future().wait_for(patience), std::future_status::ready);
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(waiting.reply()->items[0].text, "02150148");
    EXPECT_TRUE(waiting.closed());
    EXPECT_FALSE(os::connect_to(address_, os::SocketKind::stream).has_value());
}

TEST_F(PortTest, WithoutSessionsTheEndComesAtOnce) {
    begin();
    std::promise<void> closed;
    on_loop([&] { port_->close(std::chrono::hours(1), [&] { closed.set_value(); }); });
    EXPECT_EQ(closed.get_future().wait_for(patience), std::future_status::ready);
}

TEST_F(PortTest, ClientsListsItsSessions) {
    begin();
    Client client = connect();
    EXPECT_EQ(client.text({"PING"}), "PONG");
    const auto rows = on_loop([&] { return port_->clients(); });
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].kind, "command");
    EXPECT_EQ(rows[0].service, "op");
    EXPECT_EQ(rows[0].address, "unix");
    EXPECT_EQ(rows[0].process_id, os::own_process_id());
    EXPECT_EQ(rows[0].transactions, 1U);
    EXPECT_EQ(on_loop([&] { return port_->listeners(); })[0].connections, 1U);
    EXPECT_TRUE(on_loop([&] { return port_->disconnect(rows[0].id); }).has_value());
    EXPECT_TRUE(client.closed());
    EXPECT_FALSE(on_loop([&] { return port_->disconnect(rows[0].id); }).has_value());
    EXPECT_TRUE(on_loop([&] { return port_->unlisten(address_); }).has_value());
    EXPECT_FALSE(on_loop([&] { return port_->unlisten(address_); }).has_value());
}

}  // namespace
}  // namespace baton::port
