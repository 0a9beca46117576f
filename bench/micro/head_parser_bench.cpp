// Baton's head parser beside Boost.Beast's on the same heads: why there is one of our own is in
// docs/decisions/0001-own-head-parser.md, which quotes these figures.
//
//     build/release/bench/head_parser_bench --benchmark_repetitions=5
//
// Both are given what a front has: bytes in a buffer, complete or not. Beast's parser is used as
// its documentation has it (request_parser over empty_body, header limit set); it checks less, see
// the record. "Trickle" offers a head in pieces as a peeking front would, from the first byte each
// time: Beast keeps what it has seen, so it is given only what is new.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "core/http/head.hpp"
#include "tests/conformance/table.hpp"

namespace {

namespace beast = boost::beast::http;
using baton::http::HeadLimits;
using baton::http::HeadParser;
using baton::http::Progress;

std::string small_head() { return "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"; }

/// What Chromium sends for a picture, about 600 bytes.
std::string browser_head() {
    return "GET /gallery/mandelbrot.png?x=-0.743643887&y=0.131825904&zoom=1e-5 HTTP/1.1\r\n"
           "Host: www.example.org:8080\r\n"
           "Connection: keep-alive\r\n"
           "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
           "sec-ch-ua-mobile: ?0\r\n"
           "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/130.0.0.0 Safari/537.36\r\n"
           "sec-ch-ua-platform: \"Linux\"\r\n"
           "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n"
           "Sec-Fetch-Site: same-origin\r\n"
           "Sec-Fetch-Mode: no-cors\r\n"
           "Referer: http://www.example.org:8080/gallery/\r\n"
           "Accept-Encoding: gzip, deflate, br\r\n"
           "\r\n";
}

/// The same with cookies, about 4 KiB.
std::string large_head() {
    std::string head = browser_head();
    head.resize(head.size() - 2);
    for (int index = 0; index < 8; ++index) {
        head += "X-Cookie-" + std::to_string(index) + ": " + std::string(420, 'c') + "\r\n";
    }
    return head + "\r\n";
}

void baton_whole(benchmark::State& state, const std::string& bytes) {
    HeadParser parser{HeadLimits{}};
    for (auto _ : state) {
        parser.reset();
        if (parser.parse(bytes) != Progress::complete) state.SkipWithError("refused");
        benchmark::DoNotOptimize(parser.head().path().data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void beast_whole(benchmark::State& state, const std::string& bytes) {
    for (auto _ : state) {
        beast::request_parser<beast::empty_body> parser;
        parser.header_limit(HeadLimits{}.head_bytes);
        boost::system::error_code error;
        parser.put(boost::asio::buffer(bytes), error);
        if (error || !parser.is_header_done()) state.SkipWithError("refused");
        benchmark::DoNotOptimize(parser.get().target().data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

constexpr std::size_t pieces = 16;

std::size_t end_of_piece(std::size_t piece, std::size_t size) {
    return std::min((piece + 1) * size / pieces, size);
}

void baton_trickle(benchmark::State& state, const std::string& bytes) {
    HeadParser parser{HeadLimits{}};
    for (auto _ : state) {
        parser.reset();
        for (std::size_t piece = 0; piece < pieces; ++piece) {
            const std::string_view peeked{bytes.data(), end_of_piece(piece, bytes.size())};
            benchmark::DoNotOptimize(parser.parse(peeked));
        }
    }
}

void beast_trickle(benchmark::State& state, const std::string& bytes) {
    for (auto _ : state) {
        beast::request_parser<beast::empty_body> parser;
        parser.header_limit(HeadLimits{}.head_bytes);
        std::size_t consumed = 0;
        for (std::size_t piece = 0; piece < pieces; ++piece) {
            boost::system::error_code error;
            const std::size_t end = end_of_piece(piece, bytes.size());
            consumed +=
                parser.put(boost::asio::buffer(bytes.data() + consumed, end - consumed), error);
            benchmark::DoNotOptimize(error);
        }
    }
}

bool baton_lets_pass(const std::string& bytes) {
    HeadParser parser{HeadLimits{}};
    return parser.parse(bytes) == Progress::complete;
}

bool beast_lets_pass(const std::string& bytes) {
    beast::request_parser<beast::empty_body> parser;
    parser.header_limit(HeadLimits{}.head_bytes);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(bytes), error);
    return parser.is_header_done();
}

void table(benchmark::State& state, bool (*lets_pass)(const std::string&)) {
    std::vector<std::string> hostile;
    for (const auto& row : baton::conformance::read_table(BATON_CONFORMANCE "/request_heads.txt")) {
        if (!row.verdict.starts_with("accept")) hostile.push_back(row.bytes);
    }
    std::ptrdiff_t passed = 0;
    for (auto _ : state) passed = std::ranges::count_if(hostile, lets_pass);
    state.counters["hostile"] = static_cast<double>(hostile.size());
    state.counters["let_pass"] = static_cast<double>(passed);
}

BENCHMARK_CAPTURE(table, baton, baton_lets_pass);
BENCHMARK_CAPTURE(table, beast, beast_lets_pass);
BENCHMARK_CAPTURE(baton_whole, small, small_head());
BENCHMARK_CAPTURE(beast_whole, small, small_head());
BENCHMARK_CAPTURE(baton_whole, browser, browser_head());
BENCHMARK_CAPTURE(beast_whole, browser, browser_head());
BENCHMARK_CAPTURE(baton_whole, large, large_head());
BENCHMARK_CAPTURE(beast_whole, large, large_head());
BENCHMARK_CAPTURE(baton_trickle, browser, browser_head());
BENCHMARK_CAPTURE(beast_trickle, browser, browser_head());

}  // namespace
