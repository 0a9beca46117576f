# What the folders' CMakeLists.txt files say. One function per file:
#
#   baton_room(SHELF/ROOM SOURCES ... USES ...)                    a static library
#   baton_add_program(NAME SOURCES ... USES ... [NO_INSTALL])      an executable in bin/
#   baton_add_library(NAME SOURCES ... USES ... [HEADERS ...] [EXPORTS FILE] [VERSION N])
#                                                                  a shared library in lib/
#   baton_add_test(NAME KIND unit|property|sim|fuzz|conformance SOURCES ... USES ...)
#   baton_add_fuzzer(NAME SOURCES ... USES ... CORPUS DIRECTORY [DICTIONARY FILE])
#   baton_add_micro_bench(NAME SOURCES ... USES ...)               Google Benchmark, not a test
#
# USES names rooms by shelf and room (core/http), and packages by the words of BatonPackages.cmake
# (fmt spdlog cli11 boost boost_json absl_containers edit systemd threads). Other targets of this
# tree go by their own name (libbaton).

include(BatonFolders)
include(BatonUses)
include(BatonRoom)
include(BatonAddProgram)
include(BatonAddLibrary)
include(BatonAddTest)
include(BatonAddFuzzer)
include(BatonAddMicroBench)

# All that runs or is installed, without the tests: cmake --build build/release --target programs
add_custom_target(programs)
# The fuzzers alone: what preset fuzz builds.
add_custom_target(fuzzers)
