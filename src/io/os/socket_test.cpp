#include "io/os/socket.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/os/address.hpp"

namespace baton::os {
namespace {

constexpr uid_t nobody = 65534;

/// A folder with one path in it that is listened on.
class UnixListener : public testing::Test {
protected:
    UnixListener() {
        std::string pattern = std::filesystem::temp_directory_path() / "baton-socket-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
        path_ = folder_ / "s";
    }
    ~UnixListener() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] Result<UniqueFd> listen(SocketKind kind = SocketKind::stream) const {
        return listen_on(*Address::parse("unix:" + path_.string()), kind, {});
    }

    /// The file of a socket that nobody listens on any more.
    void leave_behind() const { ASSERT_TRUE(listen()); }

    std::filesystem::path folder_;
    std::filesystem::path path_;
};

TEST_F(UnixListener, ReplacesASocketThatNobodyAnswersOn) {
    leave_behind();
    ASSERT_TRUE(std::filesystem::is_socket(path_));
    EXPECT_TRUE(listen());
}

TEST_F(UnixListener, LeavesASocketAloneThatSomebodyListensOn) {
    const auto first = listen();
    ASSERT_TRUE(first);
    EXPECT_EQ(listen().error().code, Errc::in_use);
    EXPECT_EQ(listen(SocketKind::packet).error().code, Errc::in_use);
}

TEST_F(UnixListener, NeverReplacesAFileThatIsNoSocket) {
    std::ofstream(path_) << "precious";
    EXPECT_EQ(listen().error().code, Errc::unsupported);
    std::ifstream file(path_);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "precious");

    std::filesystem::remove(path_);
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_EQ(listen().error().code, Errc::unsupported);
    EXPECT_TRUE(std::filesystem::is_fifo(path_));

    std::filesystem::remove(path_);
    std::filesystem::create_symlink("elsewhere", path_);
    EXPECT_EQ(listen().error().code, Errc::unsupported);
    EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(UnixListener, DoesNotTakeASocketForAbandonedThatItMayNotAsk) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
    leave_behind();
    ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
    ASSERT_EQ(::chown(folder_.c_str(), nobody, nobody), 0);
    ASSERT_EQ(::seteuid(nobody), 0);
    const auto refused = listen();
    ASSERT_EQ(::seteuid(0), 0);
    EXPECT_EQ(refused.error().code, Errc::permission);
    EXPECT_TRUE(std::filesystem::is_socket(path_));
}

}  // namespace
}  // namespace baton::os
