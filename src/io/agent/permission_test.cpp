#include "io/agent/permission.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/agent/definition.hpp"
#include "io/agent/mapping.hpp"

namespace baton::agent {
namespace {

Definition program(const std::string& path) {
    Definition definition;
    definition.id = 1;
    definition.service = "echo";
    definition.path = path;
    return definition;
}

bool allowed(const Permission& permission, const std::string& path) {
    return permission.check(program(path), false).has_value();
}

TEST(Permission, ListsProgramsAndFolders) {
    const auto permission = Permission::parse("/srv/thumbs/worker\n/srv/tools/  # ours\n", "allow");
    ASSERT_TRUE(permission) << permission.error();
    EXPECT_TRUE(allowed(*permission, "/srv/thumbs/worker"));
    EXPECT_TRUE(allowed(*permission, "/srv/tools/resize"));
    EXPECT_FALSE(allowed(*permission, "/srv/thumbs/other"));
    EXPECT_FALSE(allowed(*permission, "/srv/thumbs/worker/"));
}

TEST(Permission, NothingLeadsOutOfAFolder) {
    const auto permission = Permission::parse("/srv/tools/", "allow");
    ASSERT_TRUE(permission);
    for (const char* const path :
         {"/srv/tools/", "/srv/tools/..", "/srv/tools/.", "/srv/tools/../worker",
          "/srv/tools/old/resize", "srv/tools/a"}) {
        EXPECT_FALSE(allowed(*permission, path)) << path;
    }
}

TEST(Permission, VariablesAndOutputNeedAnEntryOfTheirOwn) {
    const auto permission = Permission::parse("/bin/true env=COLOUR output=/var/log/echo", "allow");
    ASSERT_TRUE(permission);
    auto definition = program("/bin/true");
    definition.environment = {"COLOUR=red"};
    definition.output = "/var/log/echo";
    EXPECT_TRUE(permission->check(definition, false));
    definition.environment.emplace_back("LD_PRELOAD=/tmp/mine.so");
    EXPECT_FALSE(permission->check(definition, false));
    definition.environment.clear();
    definition.output = "/etc/passwd";
    EXPECT_FALSE(permission->check(definition, false));
}

TEST(Permission, TheHostsOwnMappingNeedsNoEntryForItsProgram) {
    EXPECT_TRUE(Permission::nothing().check(program("/srv/mine"), true));
    EXPECT_FALSE(Permission::nothing().check(program("/srv/mine"), false));
    EXPECT_TRUE(Permission::everything().check(program("/srv/any"), false));
}

TEST(Mapping, EX5_ReplacesProgramAndArgumentsOfItsServices) {
    const auto mapping = Mapping::parse("echo /srv/echo --loud 'two words'\n", "map");
    ASSERT_TRUE(mapping);
    auto definition = program("/from/batond");
    definition.arguments = {"--quiet"};
    EXPECT_TRUE(mapping->apply(definition));
    EXPECT_EQ(definition.path, "/srv/echo");
    EXPECT_EQ(definition.arguments, (std::vector<std::string>{"--loud", "two words"}));
    definition.service = "thumbs";
    definition.path = "/from/batond";
    EXPECT_FALSE(mapping->apply(definition));
    EXPECT_EQ(definition.path, "/from/batond");
}

TEST(Mapping, RefusesWhatIsNoEntry) {
    EXPECT_FALSE(Mapping::parse("echo", "map"));
    EXPECT_EQ(Mapping::parse("echo /a\necho /b", "map").error(),
              "map:2: there is an entry for 'echo' already");
}

}  // namespace
}  // namespace baton::agent
