// A worker with several requests in hand and a loop of its own: one thread, poll(), no waiting
// inside the library.
//
//     c++ -std=c++20 -o polling_worker polling_worker.cpp $(pkg-config --cflags --libs baton)
//     config worker clock localhost slots=8 /path/to/polling_worker
//
// GET /?ticks=3 answers with a line every tenth of a second: each request is a small machine that
// is turned by the clock or by its socket. POST sends the body back as it comes.

#include <poll.h>

#include <algorithm>
#include <array>
#include <baton/baton.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto tick = std::chrono::milliseconds(100);
constexpr int ticks_limit = 600;

/// One request on its way: what it waits for, and what to do then.
class Task {
public:
    explicit Task(baton::Request request) : request_(std::move(request)) {
        if (request_.method() == "POST") {
            request_.respond_begin(200, "application/octet-stream");
            step_ = Step::read;
        } else {
            const int wanted = std::atoi(request_.parameter("ticks").value_or("1").c_str());
            ticks_left_ = std::clamp(wanted, 1, ticks_limit);
            request_.respond_begin(200, "text/plain");
            step_ = Step::tick;
            due_ = Clock::now();
        }
    }

    [[nodiscard]] bool over() const { return step_ == Step::over; }

    /// For poll(); a task that waits for the clock asks only whether its client leaves.
    [[nodiscard]] pollfd interest() const {
        short events = POLLRDHUP;
        if (step_ == Step::flush) events = POLLOUT;
        if (step_ == Step::read) events = POLLIN;
        return {request_.fd(), events, 0};
    }
    [[nodiscard]] std::optional<Clock::time_point> due() const {
        if (step_ != Step::tick) return std::nullopt;
        return due_;
    }

    /// Does what can be done now.
    void turn(short events) {
        if (step_ == Step::tick && (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0) return finish();
        if (step_ == Step::flush && events != 0) went(request_.respond_flush());
        if (step_ == Step::read && events != 0) read();
        if (step_ == Step::tick && Clock::now() >= due_) {
            due_ += tick;
            line_ = "tick " + std::to_string(ticks_left_--) + "\n";
            then_ = ticks_left_ > 0 ? Step::tick : Step::end;
            went(request_.respond_write(line_));
        }
        if (step_ == Step::end) {
            then_ = Step::over;
            went(request_.respond_end());
        }
        if (step_ == Step::over) finish();
    }

private:
    enum class Step { read, tick, flush, end, over };

    /// After each write: go on, wait until the rest is sent, or give up.
    void went(baton::Outcome outcome) {
        if (outcome.code() == BATON_E_AGAIN) {
            step_ = Step::flush;
        } else {
            step_ = outcome ? then_ : Step::over;
        }
    }

    /// Until nothing is there: what the library has taken in already makes no socket readable.
    void read() {
        while (step_ == Step::read) {
            const auto got = request_.read(std::span<char>(buffer_));
            if (got.code() == BATON_E_AGAIN) return;
            if (!got) {
                step_ = Step::over;
            } else if (got.size() == 0) {
                step_ = Step::end;
            } else {
                // The buffer must stay as it is until all of it is sent: hence Step::flush.
                then_ = Step::read;
                went(request_.respond_write(std::string_view(buffer_.data(), got.size())));
            }
        }
    }

    void finish() {
        step_ = Step::over;
        request_.done();
    }

    baton::Request request_;
    Step step_ = Step::over;
    Step then_ = Step::over;  // what follows when all is sent
    int ticks_left_ = 0;
    Clock::time_point due_;
    std::string line_;
    std::array<char, 16384> buffer_;
};

class Loop {
public:
    void run() {
        for (;;) {
            if (accepting_) accept_all();
            std::erase_if(tasks_, [](const auto& task) { return task->over(); });
            if (!accepting_ && tasks_.empty()) return;
            wait();
        }
    }

private:
    static baton::WorkerOptions options() {
        baton::WorkerOptions options;
        options.request_timeout = std::chrono::milliseconds(BATON_NO_WAIT);
        return options;
    }

    void accept_all() {
        for (;;) {
            baton::Request request;
            const auto accepted = worker_.accept(request, 0);
            if (!accepted) {
                accepting_ =
                    accepted.code() == BATON_E_AGAIN || accepted.code() == BATON_E_INTERRUPTED;
                return;
            }
            tasks_.push_back(std::make_unique<Task>(std::move(request)));
            tasks_.back()->turn(POLLIN);  // the body may be there already
        }
    }

    void wait() {
        std::vector<pollfd> fds;
        auto due = Clock::time_point::max();
        for (const auto& task : tasks_) {
            fds.push_back(task->interest());
            due = std::min(due, task->due().value_or(Clock::time_point::max()));
        }
        fds.push_back({accepting_ ? worker_.fd() : -1, POLLIN, 0});
        ::poll(fds.data(), fds.size(), milliseconds_until(due));
        for (std::size_t index = 0; index < tasks_.size(); ++index) {
            tasks_[index]->turn(fds[index].revents);
        }
    }

    [[nodiscard]] static int milliseconds_until(Clock::time_point due) {
        if (due == Clock::time_point::max()) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
        return std::max(static_cast<int>(left.count()), 0);
    }

    baton::Worker worker_{options()};
    bool accepting_ = true;
    std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace

int main() {
    try {
        Loop().run();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "polling_worker: " << error.what() << '\n';
        return 1;
    }
}
