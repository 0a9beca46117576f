// The demo's worker: draws fractals, one request at a time, as much of one processor as it gets.
//
// All that a worker on libbaton needs is in serve(): accept, answer, done. It knows nothing of the
// other workers, of who starts and ends it, or of where the connection came from.

#include <unistd.h>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

#include <fmt/format.h>

#include "baton/baton.hpp"
#include "demo/gallery/fractal.hpp"
#include "demo/gallery/picture.hpp"
#include "demo/gallery/png.hpp"

namespace {

using baton::demo::draw;
using baton::demo::encode_png;
using baton::demo::parse_picture;
using Milliseconds = std::chrono::duration<double, std::milli>;

void refuse(baton::Request& request, int status, const std::string& text) {
    request.respond(status, "text/plain; charset=utf-8", text + "\n");
}

/// Says who drew it, and how long that took, in fields that people and scripts can read, and in
/// Server-Timing, which a page's script can see of a plain <img>.
void sign(baton::Request& request, const baton::Worker& worker, Milliseconds took) {
    const auto timing =
        fmt::format(R"(worker;desc="{}", pid;desc="{}", attempt;desc="{}", draw;dur={:.1f})",
                    worker.id(), getpid(), request.attempt(), took.count());
    request.respond_header("Server-Timing", timing.c_str());
    request.respond_header("X-Worker", std::to_string(getpid()).c_str());
    request.respond_header("X-Draw-Milliseconds", fmt::format("{:.0f}", took.count()).c_str());
    request.respond_header("Cache-Control", "no-store");
}

void answer(baton::Request& request, const baton::Worker& worker) {
    if (request.method() != "GET" && request.method() != "HEAD") {
        request.respond_header("Allow", "GET, HEAD");
        return refuse(request, 405, "pictures are only to be looked at");
    }
    const auto picture = parse_picture(request.path(), request.query());
    if (!picture) return refuse(request, picture.error().status, picture.error().text);
    const auto begin = std::chrono::steady_clock::now();
    // Nobody to draw for: the slot is free at once.
    const auto image = draw(*picture, [&] { return !request.client_gone(); });
    if (!image) return;
    const auto png = encode_png(*image);
    sign(request, worker, std::chrono::steady_clock::now() - begin);
    request.respond(200, "image/png", png);
}

void serve(baton::Worker& worker) {
    for (baton::Request request;;) {
        const auto accepted = worker.accept(request);
        if (accepted) {
            answer(request, worker);
            request.done();
        } else if (accepted.code() != BATON_E_INTERRUPTED && accepted.code() != BATON_E_AGAIN) {
            return;  // drained, or batond is gone for good
        }
    }
}

}  // namespace

int main() {
    try {
        baton::Worker worker;
        serve(worker);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "demo-gallery: " << error.what() << '\n';
        return 1;
    }
}
