#include "io/port/session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/command/aci.hpp"
#include "core/command/grammar.hpp"
#include "core/command/rows.hpp"
#include "core/wire/resp.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::port {
namespace {

constexpr std::size_t chunk_size = 64UL * 1024UL;
/// Reads in one turn of the loop, so that one sender cannot keep the others waiting.
constexpr int reads_per_turn = 8;
/// Commands whose answers wait for the disk.
constexpr std::size_t answer_limit = 1024;
/// Who has not said the token yet gets little room and little time.
constexpr std::size_t stranger_input_limit = 16UL * 1024UL;
constexpr auto login_time = std::chrono::seconds(10);
/// For what is unsent when a session ends.
constexpr auto last_words_time = std::chrono::seconds(10);

}  // namespace

Session::Session(Surroundings& surroundings, ClientId id, os::UniqueFd socket, Peer peer,
                 std::string token)
    : surroundings_(surroundings),
      id_(id),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      token_(std::move(token)),
      authorised_(token_.empty()),
      patience_(surroundings.loop, [this] { out_of_patience(); }),
      watch_(surroundings.loop, socket_.borrow(),
             [this](loop::Readiness ready) { on_ready(ready); }) {}

void Session::begin() {
    set_limits();
    if (!authorised_) patience_.start(surroundings_.loop.now() + login_time);
    arm();
}

void Session::out_of_patience() {
    const auto keep = shared_from_this();
    close(authorised_ ? "it does not read its last answers" : "no AUTH within its time");
}

void Session::set_limits() {
    const std::size_t limit = authorised_ ? surroundings_.input_limit : stranger_input_limit;
    decoder_.set_limits({.line_bytes = std::min(command::line_size_limit, limit),
                         .bulk_bytes = limit,
                         .word_count = command::word_count_limit,
                         .command_bytes = limit});
}

command::ClientRow Session::row() const {
    command::ClientRow row;
    row.id = id_;
    row.kind = "command";
    row.service = command::operator_service_name;
    row.address = peer_.address;
    row.process_id = peer_.process_id;
    row.transactions = commands_;
    row.fd = socket_.get();
    return row;
}

// ---- Bytes

void Session::on_ready(loop::Readiness ready) {
    // Something below may close the session; it must live until the end of this.
    const auto keep = shared_from_this();
    if (reading_) {
        read();
    } else if (ready.peer_closed || (ready.broken && sent_ == output_.size())) {
        return close({});
    }
    settle();
}

void Session::read() {
    static thread_local std::array<char, chunk_size> buffer;
    for (int count = 0; count < reads_per_turn && !input_ended_; ++count) {
        if (decoder_.buffered() > surroundings_.input_limit) return;
        const auto got =
            os::receive_some(socket_.borrow(), std::as_writable_bytes(std::span(buffer)));
        if (!got && got.error().code == Errc::would_block) return;
        if (!got) return close({});
        if (*got == 0) {
            input_ended_ = true;
        } else if (state_ != State::ending) {
            decoder_.append(std::string_view(buffer.data(), *got));
        }
    }
}

bool Session::may_process() const {
    return (state_ == State::serving || state_ == State::watching) &&
           answers_.size() < answer_limit &&
           output_.size() - sent_ < surroundings_.output_limit / 4;
}

/// @return whether it stopped for want of room for answers: there may be more to process
bool Session::process() {
    processing_ = true;
    bool all = false;
    while (!all && may_process()) {
        const auto next = decoder_.next();
        if (!next) {
            std::string bytes;
            wire::append_error(bytes, fmt::format("ERR Protocol error: {}", decoder_.reason()));
            answer(std::move(bytes));
            state_ = State::ending;
        } else if (!*next) {
            all = true;
        } else {
            handle(**next);
        }
    }
    processing_ = false;
    return !all;
}

/// Goes on as far as possible, then waits for what is missing.
void Session::settle() {
    // Answers to what is processed come back here.
    if (processing_) return;
    bool more = true;
    while (more && state_ != State::closed) {
        more = process();
        flush();
        // What held commands back may have gone out.
        more = more && may_process();
    }
    if (state_ == State::closed) return;
    const bool unsent = sent_ < output_.size() || !answers_.empty();
    // Whoever ends his side while he waits for a notification or for orders has gone.
    const bool nothing_left = input_ended_ && (state_ != State::receiving ? !unsent : true);
    if (nothing_left || (state_ == State::ending && !unsent)) return close({});
    if (state_ == State::ending && !patience_.running()) {
        patience_.start(surroundings_.loop.now() + last_words_time);
    }
    arm();
}

void Session::flush() {
    while (sent_ < output_.size()) {
        const auto rest = std::span(output_).subspan(sent_);
        const auto sent = os::send_some(socket_.borrow(), std::as_bytes(rest));
        if (!sent && sent.error().code == Errc::would_block) break;
        if (!sent) return close({});
        sent_ += *sent;
    }
    if (sent_ == output_.size()) {
        output_.clear();
        sent_ = 0;
    } else if (sent_ > chunk_size) {
        output_.erase(0, sent_);
        sent_ = 0;
    }
    if (output_.size() - sent_ > surroundings_.output_limit) {
        close(fmt::format("it does not read its answers ({} bytes wait)", output_.size() - sent_));
    }
}

void Session::arm() {
    const bool write = sent_ < output_.size();
    const bool room = decoder_.buffered() <= surroundings_.input_limit;
    const bool receiving = state_ == State::receiving;
    // A RECEIVE that waits does not stop the reading: only so is the peer's end seen.
    reading_ = !input_ended_ && room && (receiving || state_ == State::ending || may_process());
    // Its FIN, once seen, would be reported again and again.
    auto interest = receiving ? loop::Interest::hangup : loop::Interest::breakage;
    if (reading_ && write) {
        interest = loop::Interest::read_write;
    } else if (reading_) {
        interest = loop::Interest::read;
    } else if (write) {
        interest = loop::Interest::write;
    }
    if (!watch_.arm(interest)) close("the loop does not take it");
}

// ---- Answers

std::uint64_t Session::expect_answer() {
    answers_.push_back({.number = next_answer_, .ready = false, .bytes = {}});
    return next_answer_++;
}

void Session::give_answer(std::uint64_t number, std::string bytes) {
    for (PendingAnswer& pending : answers_) {
        if (pending.number != number) continue;
        pending.bytes = std::move(bytes);
        pending.ready = true;
        break;
    }
    while (!answers_.empty() && answers_.front().ready) {
        output_ += answers_.front().bytes;
        answers_.pop_front();
    }
}

void Session::answer_receive(const AciAnswer& answer) {
    if (state_ != State::receiving) return;
    const auto keep = shared_from_this();
    state_ = State::serving;
    give_answer(receive_answer_, answer.encoded(as_line_));
    settle();
}

void Session::push(std::span<const std::string> words) {
    if (state_ == State::closed || state_ == State::ending) return;
    const auto keep = shared_from_this();
    std::string bytes;
    wire::append_push(bytes, words.size(), version_);
    for (const std::string& word : words) wire::append_bulk(bytes, word);
    answer(std::move(bytes));
    settle();
}

void Session::finish() {
    if (state_ == State::closed) return;
    const auto keep = shared_from_this();
    if (std::exchange(state_, State::ending) == State::receiving) {
        const AciAnswer last{
            .code = command::aci_not_active, .detail = {}, .fields = {}, .payload = {}};
        give_answer(receive_answer_, last.encoded(as_line_));
    }
    settle();
}

void Session::close(std::string_view why) {
    if (std::exchange(state_, State::closed) == State::closed) return;
    if (!why.empty()) {
        surroundings_.log.warn("command port: {} is disconnected: {}", peer_.who, why);
    }
    patience_.cancel();
    watch_.forget();
    // Whoever still reads learns of the end now, although the descriptor closes a little later.
    os::shutdown_both(socket_.borrow());
    surroundings_.ended(*this);
}

}  // namespace baton::port
