// Runs a fuzzer's target without libFuzzer: every input of its corpus, then seeded random mutations
// of them. It finds little that is new; it keeps what a fuzzer once found from coming back.
//
//     fuzz_head CORPUS [MUTATIONS [SEED]]
//
// MUTATIONS is 20,000 by default, of which BATON_TEST_EFFORT percent are run; the same seed gives
// the same inputs. When an input brings the process down, it is written to standard error, escaped.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t input_size_limit = 64 * 1024;

// For the handler of signals only: a handler has no other way to know what was running.
std::string_view current_input;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// The process is lost already, so stdio in a handler can make nothing worse.
void print_current_input() {
    std::fprintf(stderr, "\nfuzz replay: this input of %zu bytes did it:\n", current_input.size());
    for (const char letter : current_input) {
        const auto byte = static_cast<unsigned char>(letter);
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            std::fputc(byte, stderr);
        } else {
            std::fprintf(stderr, "\\x%02x", byte);
        }
    }
    std::fputc('\n', stderr);
    std::fflush(stderr);
}

extern "C" void on_fatal_signal(int number) {
    print_current_input();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

#ifdef __SANITIZE_ADDRESS__
extern "C" void __sanitizer_set_death_callback(void (*callback)());
void watch_sanitizer() { __sanitizer_set_death_callback(print_current_input); }
#else
void watch_sanitizer() {}
#endif

void run(std::string_view input) {
    // A copy of exactly this size, so that AddressSanitizer sees a read past its end.
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    current_input = input;
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    std::ranges::sort(paths);  // the order of a directory is not the same everywhere
    std::vector<std::string> inputs;
    for (const auto& path : paths) {
        std::ifstream file{path, std::ios::binary};
        inputs.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
    }
    return inputs;
}

/// One to eight small changes: bytes set, removed, doubled; pieces of another input put in.
class Mutator {
public:
    Mutator(const std::vector<std::string>& corpus, std::uint64_t seed)
        : corpus_{corpus}, random_{seed} {}

    std::string next() {
        std::string input = any_input();
        for (std::size_t changes = 1 + below(8); changes > 0; --changes) change(input);
        input.resize(std::min(input.size(), input_size_limit));
        return input;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    const std::string& any_input() { return corpus_[below(corpus_.size())]; }

    void change(std::string& input) {
        // Bytes that mean something to text protocols, and the ends of the ranges of numbers.
        static constexpr std::string_view telling{"\0\r\n\t :;,=\"'/%*#-0123456789\x7f\x80\xff",
                                                  30};
        const std::size_t place = below(input.size() + 1);
        const std::size_t size = std::min(1 + below(16), input.size() - place);
        switch (below(6)) {
            case 0: input.insert(place, 1, telling[below(telling.size())]); break;
            case 1:
                if (size > 0) input[place] = telling[below(telling.size())];
                break;
            case 2:
                if (size > 0) input[place] = static_cast<char>(random_());
                break;
            case 3: input.erase(place, size); break;
            case 4: input.insert(place, input.substr(place, size)); break;
            default: {
                const std::string& other = any_input();
                const std::size_t from = below(other.size() + 1);
                input.insert(place, other.substr(from, 1 + below(64)));
            }
        }
    }

    const std::vector<std::string>& corpus_;
    std::mt19937_64 random_;
};

std::uint64_t number(const char* text, std::uint64_t otherwise) {
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    const auto corpus = read_corpus(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "fuzz replay: no inputs in %s\n", argv[1]);
        return 2;
    }
    const std::uint64_t effort_percent = number(std::getenv("BATON_TEST_EFFORT"), 100);
    const std::uint64_t mutations =
        number(argc > 2 ? argv[2] : nullptr, 20'000) * effort_percent / 100;
    const std::uint64_t seed = number(argc > 3 ? argv[3] : nullptr, 1);

    for (const int fatal : std::array{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(fatal, on_fatal_signal);
    }
    watch_sanitizer();
    for (const auto& input : corpus) run(input);
    Mutator mutator{corpus, seed};
    for (std::uint64_t index = 0; index < mutations; ++index) run(mutator.next());
    std::printf("%zu inputs of the corpus and %llu mutations (seed %llu)\n", corpus.size(),
                static_cast<unsigned long long>(mutations), static_cast<unsigned long long>(seed));
    return 0;
}
