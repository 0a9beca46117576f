// A worker on libbaton that does what each request's query tells it, and stops where the test wants
// it. (scripted_worker.py is its sister without libbaton; what both know means the same.)
//
//     ?hold=STAGE    stop at before-read, after-read, mid-answer or after-answer until the test
//                    says go;
//     ?die=STAGE     or kill itself there (SIGKILL); both on the first attempt only, unless
//                    ?always=1
//     ?fork=1        before that, leave a child behind that holds connection and link
//     ?sleep=MS      take so long, doing nothing;   ?cpu=MS      computing
//     ?size=N        length of the answer's body (/size/N says the same); without it the answer is
//                    what was asked, and the body that came with it
//     ?lines=1       the body is numbered lines, which show what is missing or double
//     ?way=file      answer from a file;            ?way=write   in pieces of 64 KiB
//     ?nowait=1      never wait for the client: put aside what it does not take
//     ?status=N      its status                     ?chunked=1   its length not said before
//     ?close=1       close the connection after it  ?exit=N      end with this status after it
//     ?nobody=1      do not read the body; say that the connection can be kept
//     ?lie=N         add N to bytes_read
//     ?note=FILE     append a line to this file when it is carried out
//     ?decline=1     decline, once per process      ?hang=1      read, never answer
//
// A request that offers `Upgrade: echo` gets its lines back, on a connection that was released; it
// keeps its slot with ?keep-slot=1. With several slots each request has a thread of its own.
//
// With the argument `heads` it takes requests with their heads read, as most workers do; then it
// can be given leases, and knows neither before-read nor decline.
//
// BATON_TEST_STAGE names the socket where the test waits to hear of stages that were reached.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <baton/baton.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

using std::chrono::milliseconds;

constexpr std::size_t body_limit = 64 * 1024 * 1024;
constexpr int cut_off = 3;  // exit status when the test has gone

/// The test, asked at each point where it may want to kill this process.
class Stage {
public:
    Stage() {
        const char* path = std::getenv("BATON_TEST_STAGE");
        if (path == nullptr) return;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("nobody is at BATON_TEST_STAGE");
        }
    }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    ~Stage() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// Returns when the test says so.
    void reached(std::string_view name, unsigned attempt) const {
        if (fd_ < 0) throw std::runtime_error("?hold= needs BATON_TEST_STAGE");
        const std::string line = R"({"pid": )" + std::to_string(::getpid()) + R"(, "stage": ")" +
                                 std::string(name) + R"(", "attempt": )" + std::to_string(attempt) +
                                 "}\n";
        char answer = 0;
        if (::write(fd_, line.data(), line.size()) < 0 || ::read(fd_, &answer, 1) != 1) {
            std::_Exit(cut_off);
        }
    }

private:
    int fd_ = -1;
};

/// The query of a request, which may not have been read yet.
class Script {
public:
    explicit Script(std::string target) : target_(std::move(target)) {}

    /// Looks at the request line without taking it out of the socket.
    static Script peek(const baton::Request& request) {
        std::string line(request.bytes_beside());
        std::array<char, 8192> room;
        while (line.find("\r\n") == std::string::npos) {
            pollfd wanted{request.fd(), POLLIN, 0};
            ::poll(&wanted, 1, -1);
            const auto got = ::recv(request.fd(), room.data(), room.size(), MSG_PEEK);
            if (got <= 0) break;
            line = std::string(request.bytes_beside()) +
                   std::string(room.data(), static_cast<std::size_t>(got));
        }
        const std::size_t from = line.find(' ') + 1;
        return Script(line.substr(from, line.find(' ', from) - from));
    }

    [[nodiscard]] std::string text(std::string_view name) const {
        std::string_view rest = target_;
        rest.remove_prefix(std::min(rest.find('?'), rest.size()));
        while (!rest.empty()) {
            rest.remove_prefix(1);
            const std::string_view pair = rest.substr(0, rest.find('&'));
            rest.remove_prefix(pair.size());
            if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
                return std::string(pair.substr(name.size() + 1));
            }
        }
        return {};
    }
    [[nodiscard]] bool has(std::string_view name) const { return !text(name).empty(); }
    [[nodiscard]] long number(std::string_view name, long otherwise = 0) const {
        const std::string found = text(name);
        return found.empty() ? otherwise : std::strtol(found.c_str(), nullptr, 10);
    }
    [[nodiscard]] std::optional<std::size_t> size() const {
        constexpr std::string_view prefix = "/size/";
        if (target_.starts_with(prefix)) {
            return std::strtoull(target_.c_str() + prefix.size(), nullptr, 10);
        }
        if (!has("size")) return std::nullopt;
        return static_cast<std::size_t>(number("size"));
    }

private:
    std::string target_;
};

void compute_for(milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    volatile std::uint64_t sink = 1;
    while (std::chrono::steady_clock::now() < end) {
        for (int step = 0; step < 1000; ++step) sink = sink * 6364136223846793005U + 1;
    }
}

std::string numbered_lines(std::size_t size) {
    std::string text;
    text.reserve(size + 16);
    for (std::size_t number = 0; text.size() < size; ++number) {
        text.append(std::to_string(number)).append("\n");
    }
    text.resize(size);
    return text;
}

std::string read_body(baton::Request& request) {
    std::string body;
    std::array<char, 65536> room;
    while (body.size() < body_limit) {
        const auto got = request.read(std::span<char>(room));
        if (got.size() == 0) break;
        body.append(room.data(), got.size());
    }
    return body;
}

/// Lines come back until the client has had enough.
void echo_lines(int fd) {
    std::array<char, 4096> room;
    for (;;) {
        pollfd wanted{fd, POLLIN, 0};
        ::poll(&wanted, 1, -1);
        const auto got = ::recv(fd, room.data(), room.size(), 0);
        if (got <= 0) break;
        if (::send(fd, room.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) < 0) break;
    }
    ::close(fd);
}

class TestWorker {
public:
    explicit TestWorker(bool takes_heads) : takes_heads_(takes_heads) {}

    int run() {
        const bool with_threads = std::getenv("BATON_SLOTS") != nullptr &&
                                  std::strcmp(std::getenv("BATON_SLOTS"), "1") != 0;
        while (exit_status_ < 0) {
            baton::Request request;
            const auto accepted =
                takes_heads_ ? worker_.accept(request) : worker_.accept_unread(request);
            if (accepted.code() == BATON_E_INTERRUPTED) continue;
            if (!accepted) {
                if (accepted.code() != BATON_E_DRAINED) std::cerr << baton_error_text() << '\n';
                break;
            }
            if (!with_threads) {
                serve(std::move(request));
                continue;
            }
            serve_beside(std::move(request));
        }
        for (auto& thread : threads_) thread.work.join();
        return std::max(exit_status_.load(), 0);
    }

private:
    struct Thread {
        std::thread work;
        std::atomic<bool> over = false;
    };

    /// In a thread of its own. Those that are over are joined first: each would keep its stack.
    void serve_beside(baton::Request request) {
        threads_.remove_if([](Thread& thread) {
            if (!thread.over) return false;
            thread.work.join();
            return true;
        });
        auto& thread = threads_.emplace_back();
        thread.work = std::thread([this, &thread, taken = std::move(request)]() mutable {
            serve(std::move(taken));
            thread.over = true;
        });
    }

    void serve(baton::Request request) {
        if (takes_heads_) {
            const Script script{std::string(request.target())};
            return carry_out(std::move(request), script);
        }
        const Script script = Script::peek(request);
        if (script.has("decline") && !declined_.exchange(true)) {
            request.decline();
            worker_.credit();
            return;
        }
        pass("before-read", script, request);
        if (!request.read_head()) return;
        carry_out(std::move(request), script);
    }

    void carry_out(baton::Request request, const Script& script) {
        std::string body;
        if (!script.has("nobody")) body = read_body(request);
        pass("after-read", script, request);
        if (script.has("note")) std::ofstream(script.text("note"), std::ios::app) << "once\n";
        std::this_thread::sleep_for(milliseconds(script.number("sleep")));
        compute_for(milliseconds(script.number("cpu")));
        if (script.has("hang")) ::pause();
        if (request.header("Upgrade") == "echo") return upgrade(request, script);
        answer(request, script, body);
        finish(request, script);
        if (script.has("exit")) exit_status_ = static_cast<int>(script.number("exit"));
    }

    /// A point where the test may have something in mind.
    void pass(std::string_view stage, const Script& script, const baton::Request& request) const {
        if (request.attempt() > 0 && !script.has("always")) return;
        const bool holds = script.text("hold") == stage;
        const bool dies = script.text("die") == stage;
        if ((holds || dies) && script.has("fork") && ::fork() == 0) ::pause();
        if (holds) stage_.reached(stage, request.attempt());
        if (dies) std::raise(SIGKILL);
    }

    static std::string content(const baton::Request& request, const Script& script,
                               std::string_view came) {
        const auto size = script.size();
        if (size && script.has("lines")) return numbered_lines(*size);
        if (size) return std::string(*size, 'x');
        return std::string(request.method()) + " " + std::string(request.target()) + "\n" +
               std::string(came);
    }

    /// What a program does that never waits, and whose client is slow.
    static void put_aside(baton::Request& request, baton::Outcome outcome) {
        if (outcome.code() == BATON_E_AGAIN) request.respond_put_aside();
    }

    static void respond_from_file(baton::Request& request, int status, const std::string& body) {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
        std::fwrite(body.data(), 1, body.size(), file.get());
        std::fflush(file.get());
        put_aside(request,
                  request.respond_file(status, "text/plain", ::fileno(file.get()), 0, body.size()));
    }

    static void respond_in_pieces(baton::Request& request, int status, std::string_view body,
                                  bool chunked) {
        std::optional<std::uint64_t> length;
        if (!chunked) length = body.size();
        request.respond_begin(status, "text/plain", length);
        std::string piece;  // used again for each, as programs do
        for (std::size_t place = 0; place < body.size(); place += piece.size()) {
            piece = body.substr(place, 65536);
            put_aside(request, request.respond_write(piece));
        }
        put_aside(request, request.respond_end());
    }

    void answer(baton::Request& request, const Script& script, std::string_view came) const {
        const std::string body = content(request, script, came);
        request.respond_header("X-Worker", std::to_string(::getpid()).c_str());
        request.respond_header("X-Attempt", std::to_string(request.attempt()).c_str());
        if (script.has("close")) request.respond_close();
        const int status = static_cast<int>(script.number("status", 200));
        if (script.has("nowait")) request.set_timeout(milliseconds(0));
        if (script.text("way") == "file") {
            respond_from_file(request, status, body);
        } else if (script.text("way") == "write") {
            respond_in_pieces(request, status, body, script.has("chunked"));
        } else if (!script.has("chunked") && script.text("hold") != "mid-answer" &&
                   script.text("die") != "mid-answer") {
            put_aside(request, request.respond(status, "text/plain", body));
        } else {
            std::optional<std::uint64_t> length;
            if (!script.has("chunked")) length = body.size();
            const std::string_view all = body;
            request.respond_begin(status, "text/plain", length);
            request.respond_write(all.substr(0, all.size() / 2));
            pass("mid-answer", script, request);
            request.respond_write(all.substr(all.size() / 2));
            request.respond_end();
        }
        pass("after-answer", script, request);
    }

    static void finish(baton::Request& request, const Script& script) {
        if (!script.has("lie") && !script.has("nobody")) {
            request.done();
            return;
        }
        baton_outcome_t outcome{};
        outcome.size = sizeof outcome;
        outcome.disposition = BATON_KEEP;
        outcome.status = 200;
        outcome.bytes_read =
            request.head().size() + static_cast<std::uint64_t>(script.number("lie"));
        request.done_as(outcome);
    }

    void upgrade(baton::Request& request, const Script& script) {
        if (!request.respond_upgrade("echo")) return;
        const bool keep_slot = script.has("keep-slot");
        const auto released = request.release(keep_slot);
        if (!released.outcome) return;
        echo_lines(released.fd);
        if (keep_slot) worker_.credit();
    }

    bool takes_heads_;
    Stage stage_;
    baton::Worker worker_;
    std::list<Thread> threads_;
    std::atomic<bool> declined_ = false;
    std::atomic<int> exit_status_ = -1;  // below zero: go on
};

}  // namespace

int main(int argc, char** argv) {
    try {
        return TestWorker(argc > 1 && std::string_view(argv[1]) == "heads").run();
    } catch (const std::exception& error) {
        std::cerr << "baton-test-worker: " << error.what() << '\n';
        return 1;
    }
}
