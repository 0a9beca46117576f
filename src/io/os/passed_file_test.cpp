#include "io/os/passed_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/os/append_file.hpp"
#include "io/os/fd.hpp"
#include "io/os/memory_file.hpp"
#include "io/os/socket.hpp"

namespace baton::os {
namespace {

std::string content(const MemoryFile& file) {
    std::string text(file.size(), '\0');
    const auto got =
        ::pread(file.fd().get(), text.data(), text.size(), static_cast<off_t>(file.offset()));
    EXPECT_EQ(got, static_cast<ssize_t>(text.size()));
    return text;
}

std::uint64_t memory_of(const MemoryFile& file) {
    struct stat status{};
    EXPECT_EQ(::fstat(file.fd().get(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

/// A file with a name, which goes with the test.
class NamedFile {
public:
    explicit NamedFile(std::string_view text)
        : path_(testing::TempDir() + "baton-passed-file-test"),
          fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
        EXPECT_TRUE(write_fully(fd_.borrow(), text));
    }
    NamedFile(const NamedFile&) = delete;
    NamedFile& operator=(const NamedFile&) = delete;
    ~NamedFile() { remove_name(); }
    void remove_name() const { ::unlink(path_.c_str()); }
    [[nodiscard]] BorrowedFd fd() const { return fd_.borrow(); }

private:
    std::string path_;
    UniqueFd fd_;
};

TEST(MemoryFile, IsWrittenAtItsEndAndGivenUpAtItsBeginning) {
    auto file = MemoryFile::create().value();
    EXPECT_EQ(file.size(), 0U);
    ASSERT_TRUE(file.append("one "));
    ASSERT_TRUE(file.append(std::string(100'000, 'x')));
    const NamedFile other("0123456789");
    ASSERT_TRUE(file.append_file(other.fd(), 3, 4));
    EXPECT_EQ(content(file), "one " + std::string(100'000, 'x') + "3456");
    const auto before = memory_of(file);
    file.drop_front(4);
    file.drop_front(90'000);
    EXPECT_EQ(content(file), std::string(10'000, 'x') + "3456");
    EXPECT_LT(memory_of(file), before - 80'000);
    ASSERT_TRUE(file.append("!"));
    EXPECT_EQ(content(file), std::string(10'000, 'x') + "3456!");
}

TEST(MemoryFile, TakesNothingOfAFileThatIsTooShort) {
    auto file = MemoryFile::create().value();
    ASSERT_TRUE(file.append("one "));
    const NamedFile other("0123456789");
    EXPECT_EQ(file.append_file(other.fd(), 8, 4).error().code, Errc::corrupt);
    ASSERT_TRUE(file.append("two"));
    EXPECT_EQ(content(file), "one two");
}

TEST(MemoryFile, CannotBeChangedOnceItIsSealed) {
    auto file = MemoryFile::create().value();
    ASSERT_TRUE(file.append("for good"));
    file.seal();
    EXPECT_FALSE(file.append("x"));
    EXPECT_NE(::ftruncate(file.fd().get(), 3), 0);
    EXPECT_EQ(content(file), "for good");
}

TEST(PassedFile, HoldsMemoryOnlyIfNothingElseWould) {
    auto memory = MemoryFile::create().value();
    ASSERT_TRUE(memory.append(std::string(10'000, 'x')));
    const auto examined = examine_passed_file(memory.fd()).value();
    EXPECT_EQ(examined.size, 10'000U);
    EXPECT_GE(examined.held_bytes, 10'000U);

    const NamedFile file(std::string(10'000, 'x'));
    EXPECT_EQ(examine_passed_file(file.fd()).value().size, 10'000U);
    EXPECT_EQ(examine_passed_file(file.fd()).value().held_bytes, 0U);
    file.remove_name();
    EXPECT_GE(examine_passed_file(file.fd()).value().held_bytes, 10'000U);
}

TEST(PassedFile, IsRefusedWhereReadingCouldWaitForSomebody) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    EXPECT_EQ(examine_passed_file(reader.borrow()).error().code, Errc::unsupported);
    const auto [one, other] = socket_pair_or_throw(SocketKind::stream);
    EXPECT_EQ(examine_passed_file(one.borrow()).error().code, Errc::unsupported);
    // A file of the kernel's own says that it is a regular one.
    const UniqueFd odd(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(examine_passed_file(odd.borrow()).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace baton::os
