#include "bench/worker/under_baton.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "bench/worker/answers.hpp"
#include "bench/worker/deaths.hpp"

namespace baton::bench {

WorkerOptions UnderBaton::options() {
    WorkerOptions options;
    options.request_timeout = std::chrono::milliseconds(BATON_NO_WAIT);
    return options;
}

void UnderBaton::run() {
    epoll_.add(worker_.fd(), EPOLLIN);
    for (;;) {
        Request request;
        const auto accepted = worker_.accept(request, unsent_.empty() ? -1 : 0);
        if (accepted) {
            begin(std::move(request));
        } else if (accepted.code() == BATON_E_AGAIN) {
            epoll_.wait([this](int fd) { go_on(fd); });
        } else if (accepted.code() != BATON_E_INTERRUPTED) {
            break;
        }
    }
    while (!unsent_.empty()) epoll_.wait([this](int fd) { go_on(fd); });
}

void UnderBaton::begin(Request request) {
    pass(Point::received);
    const auto asked = asked_by(request.path(), request.query());
    if (asked && asked->work) {
        const Work work;
        work.finish(*asked->work);
        request.respond_header(took_field, work.took().c_str());
    }
    const auto sent = asked ? request.respond(200, content_type, asked->body)
                            : request.respond(404, "text/plain", no_such_body);
    if (sent.code() != BATON_E_AGAIN) {
        pass(Point::answered);
        request.done();
        return pass(Point::done);
    }
    const int fd = request.fd();
    epoll_.add(fd, EPOLLOUT);
    unsent_.emplace(fd, std::move(request));
}

void UnderBaton::go_on(int fd) {
    const auto found = unsent_.find(fd);
    if (found == unsent_.end()) return;  // the worker's own: accept() looks
    if (found->second.respond_flush().code() == BATON_E_AGAIN) return;
    // batond holds the connection, too, so closing it would not end its registration here.
    epoll_.remove(fd);
    found->second.done();
    unsent_.erase(found);
}

}  // namespace baton::bench
