# How everything is compiled.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# Rooms are static libraries which the shared libraries in src/lib take in: position independent,
# and nothing is exported that does not say so.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")

# Profilers and core dumps can walk the stack at the cost of one register.
add_compile_options(-fno-omit-frame-pointer)

if(BATON_STRICT)
    add_compile_options(-Wall -Wextra -Wconversion -Werror)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # =local: a parameter may be called like an enumerator that `using enum` brought in.
        # restrict: g++ 12 sees overlaps in std::string's operator+ that are not there (PR 105651).
        add_compile_options(-Wshadow=local -Wno-restrict)
    endif()
endif()

if(BATON_SANITIZE)
    add_compile_options(-fsanitize=${BATON_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${BATON_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # Instrumented code confuses the compiler's view of what is initialised; the plain presets
        # have these warnings as errors.
        add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread
                            -Wno-array-bounds -Wno-dangling-pointer -Wno-null-dereference)
    endif()
endif()

if(BATON_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "BATON_FUZZ needs clang: cmake --preset fuzz")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Paths in the programs (asserts, debug information) start at the root of the tree, so that a build
# does not depend on where the tree lies, and ccache can use what another checkout compiled.
add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(CCACHE_PROGRAM ccache)
    if(CCACHE_PROGRAM)
        set(launcher env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
            "${CCACHE_PROGRAM}")
        set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
        set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
    endif()
endif()
