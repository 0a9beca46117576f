# Every package is found here, once. Rooms name them by the short words below.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(absl REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(PkgConfig REQUIRED)
pkg_check_modules(edit REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
find_package(ZLIB QUIET)  # only the demo needs it

set(BATON_PACKAGE_threads Threads::Threads)
set(BATON_PACKAGE_fmt fmt::fmt)
set(BATON_PACKAGE_spdlog spdlog::spdlog)
set(BATON_PACKAGE_cli11 CLI11::CLI11)
set(BATON_PACKAGE_absl_containers
    absl::flat_hash_map absl::flat_hash_set absl::btree absl::inlined_vector absl::fixed_array)
set(BATON_PACKAGE_boost Boost::headers)
set(BATON_PACKAGE_boost_json Boost::json)
set(BATON_PACKAGE_edit PkgConfig::edit)
set(BATON_PACKAGE_systemd PkgConfig::systemd)
set(BATON_PACKAGE_zlib ZLIB::ZLIB)

# Who only builds and runs needs none of these; `make test` installs them first.
if(BUILD_TESTING)
    find_package(GTest 1.12 QUIET)
    find_package(rapidcheck QUIET)
    if(NOT GTest_FOUND OR NOT rapidcheck_FOUND)
        message(NOTICE "Tests are not built: GoogleTest or rapidcheck is missing (tools/bootstrap test)")
        set(BUILD_TESTING OFF)
    endif()
endif()
if(BUILD_TESTING)
    # Debian's own Python is the one that has Debian's pytest; a version manager's would be found first.
    set(Python3_EXECUTABLE /usr/bin/python3 CACHE FILEPATH "Python with pytest")
    find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
    set(BATON_PACKAGE_gtest GTest::gtest)
    set(BATON_PACKAGE_gmock GTest::gmock)
    # Its gtest.h and gmock.h come with the library; there is no target of their own.
    set(BATON_PACKAGE_rapidcheck rapidcheck)
endif()

# Only for bench/micro; who builds without it loses nothing else.
find_package(benchmark 1.7 QUIET)
if(benchmark_FOUND)
    set(BATON_PACKAGE_benchmark benchmark::benchmark benchmark::benchmark_main)
endif()
