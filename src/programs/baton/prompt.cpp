#include "programs/baton/prompt.hpp"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <boost/json.hpp>
#include <histedit.h>

#include "core/command/completion.hpp"
#include "core/command/grammar.hpp"
#include "core/wire/resp.hpp"
#include "programs/baton/connection.hpp"
#include "programs/baton/printing.hpp"

namespace baton::tool {
namespace {

constexpr int history_limit = 1000;

std::string history_file() {
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    std::filesystem::path folder;
    if (state != nullptr && *state != '\0') {
        folder = state;
    } else if (home != nullptr) {
        folder = std::filesystem::path(home) / ".local/state";
    } else {
        return {};
    }
    folder /= "baton";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return error ? std::string() : (folder / "history").string();
}

/// The values of one key in a JSON list of objects that the daemon answers with.
std::vector<std::string> column(Connection& connection, const std::string& what, const char* key) {
    std::vector<std::string> values;
    const std::vector<std::string> words{"json", what};
    const auto reply = connection.ask(words);
    if (!reply || reply->is_error()) return values;
    boost::system::error_code error;
    const auto list = boost::json::parse(reply->text, error);
    if (error || !list.is_array()) return values;
    for (const auto& row : list.as_array()) {
        const auto* value = row.is_object() ? row.as_object().if_contains(key) : nullptr;
        if (value == nullptr) continue;
        values.push_back(value->is_string() ? std::string(value->as_string())
                                            : boost::json::serialize(*value));
    }
    return values;
}

/// libedit's handle with its history; what its callbacks need hangs on it.
class Editor {
public:
    explicit Editor(Connection& connection)
        : connection_(connection),
          history_(history_init(), history_end),
          edit_(el_init("baton", stdin, stdout, stderr), el_end),
          file_(history_file()) {
        HistEvent event{};
        history(history_.get(), &event, H_SETSIZE, history_limit);
        history(history_.get(), &event, H_SETUNIQUE, 1);
        if (!file_.empty()) history(history_.get(), &event, H_LOAD, file_.c_str());
        el_set(edit_.get(), EL_CLIENTDATA, this);
        el_set(edit_.get(), EL_PROMPT, &Editor::prompt);
        el_set(edit_.get(), EL_EDITOR, "emacs");
        el_set(edit_.get(), EL_HIST, history, history_.get());
        el_set(edit_.get(), EL_ADDFN, "complete", "complete the word", &Editor::complete);
        el_set(edit_.get(), EL_BIND, "\t", "complete", nullptr);
        // Ctrl-C leaves the line, not the program; while a command runs it is a signal as usual.
        el_set(edit_.get(), EL_SETTY, "-d", "-isig", nullptr);
        el_set(edit_.get(), EL_ADDFN, "leave-line", "leave the line", &Editor::leave_line);
        el_set(edit_.get(), EL_BIND, "^C", "leave-line", nullptr);
        el_source(edit_.get(), nullptr);
    }
    ~Editor() = default;
    Editor(const Editor&) = delete;
    Editor& operator=(const Editor&) = delete;

    /// @return false at the end of input
    [[nodiscard]] bool read(std::string& line) {
        int size = 0;
        // Before the prompt is shown: whoever sees it may already type Ctrl-C.
        el_set(edit_.get(), EL_PREP_TERM, 1);
        const char* text = el_gets(edit_.get(), &size);
        if (text == nullptr || size <= 0) return false;
        line.assign(text, static_cast<std::size_t>(size));
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
        if (!line.empty()) {
            HistEvent event{};
            history(history_.get(), &event, H_ENTER, line.c_str());
            // At once: a command that waits is ended by Ctrl-C, and this program with it.
            if (!file_.empty()) history(history_.get(), &event, H_SAVE, file_.c_str());
        }
        return true;
    }

private:
    static char* prompt(EditLine* /*edit*/) {
        static char text[] = "baton> ";
        return text;
    }

    static unsigned char complete(EditLine* edit, int /*key*/) {
        void* self = nullptr;
        el_get(edit, EL_CLIENTDATA, &self);
        return static_cast<Editor*>(self)->complete_word();
    }

    static unsigned char leave_line(EditLine* edit, int /*key*/) {
        el_cursor(edit, static_cast<int>(el_line(edit)->lastchar - el_line(edit)->cursor));
        el_deletestr(edit, static_cast<int>(el_line(edit)->lastchar - el_line(edit)->buffer));
        el_insertstr(edit, "\n");
        std::cout << "^C\n" << std::flush;
        return CC_NEWLINE;
    }

    unsigned char complete_word() {
        const LineInfo* info = el_line(edit_.get());
        const std::string_view line(info->buffer,
                                    static_cast<std::size_t>(info->cursor - info->buffer));
        const auto offers =
            command::complete(line, {.services = column(connection_, "services", "name"),
                                     .workers = column(connection_, "workers", "id"),
                                     .clients = column(connection_, "clients", "id")});
        const auto blank = line.find_last_of(" \t");
        const auto begun = line.substr(blank == std::string_view::npos ? 0 : blank + 1);
        if (offers.empty()) return CC_REFRESH_BEEP;
        auto common = offers.front();
        for (const auto& offer : offers) {
            std::size_t same = 0;
            while (same < common.size() && same < offer.size() && common[same] == offer[same]) {
                ++same;
            }
            common.resize(same);
        }
        if (common.size() > begun.size()) {
            if (offers.size() == 1 && !common.ends_with('=')) common += ' ';
            el_deletestr(edit_.get(), static_cast<int>(begun.size()));
            el_insertstr(edit_.get(), common.c_str());
            return CC_REFRESH;
        }
        std::cout << '\n';
        for (const auto& offer : offers) std::cout << "  " << offer;
        std::cout << std::endl;
        return CC_REDISPLAY;
    }

    Connection& connection_;
    std::unique_ptr<History, decltype(&history_end)> history_;
    std::unique_ptr<EditLine, decltype(&el_end)> edit_;
    std::string file_;
};

}  // namespace

int run_prompt(Connection& connection) {
    Editor editor(connection);
    std::string line;
    while (editor.read(line)) {
        if (line == "exit" || line == "quit") return 0;
        const auto words = command::split_line(line);
        if (!words) {
            std::cout << words.error().text() << std::endl;
            continue;
        }
        // The empty command is the status; an empty line at a prompt is nothing.
        if (words->empty()) continue;
        const auto reply = connection.ask(*words);
        if (!reply) {
            std::cerr << "batond has ended the connection\n";
            return 2;
        }
        std::cout << plain(*reply) << connection.advice_behind(*reply) << std::flush;
    }
    std::cout << '\n';
    return 0;
}

}  // namespace baton::tool
