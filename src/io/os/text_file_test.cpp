#include "io/os/text_file.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "core/base/error.hpp"

namespace baton::os {
namespace {

class TextFile : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "baton-text-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
};

TEST_F(TextFile, IsReadAsAWhole) {
    const std::string path = folder_ / "file";
    const std::string text(100'000, 'x');
    std::ofstream(path) << text;
    EXPECT_EQ(read_text_file(path, text.size(), FileKind::regular), text);
    EXPECT_EQ(read_text_file(path, text.size() - 1, FileKind::regular).error().code,
              Errc::limit_reached);
}

TEST_F(TextFile, IsNeitherAFolderNorMissing) {
    const auto folder = read_text_file(folder_, 10, FileKind::any);
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().code, Errc::unsupported);
    EXPECT_EQ(describe_read_failure("/x", folder.error()), "/x cannot be read: Is a directory");
    EXPECT_EQ(read_text_file(folder_ / "none", 10, FileKind::any).error().code, Errc::not_found);
}

TEST_F(TextFile, DoesNotWaitForThoseWhoMayNot) {
    const std::string path = folder_ / "pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const auto pipe = read_text_file(path, 10, FileKind::regular);
    ASSERT_FALSE(pipe);
    EXPECT_EQ(describe_read_failure("/x", pipe.error()),
              "/x cannot be read: it is no file on disk");
}

}  // namespace
}  // namespace baton::os
