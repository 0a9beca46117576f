include(GoogleTest)

# Time-out of a kind in seconds, before BATON_TEST_TIMEOUT_FACTOR.
set(BATON_TIMEOUT_unit 60)
set(BATON_TIMEOUT_property 120)
set(BATON_TIMEOUT_conformance 60)
set(BATON_TIMEOUT_fuzz 120)
set(BATON_TIMEOUT_sim 600)
set(BATON_TIMEOUT_e2e 300)

# What every test gets: label, time-out, and BATON_TEST_EFFORT, the percentage of its usual steps
# that a simulation or a fuzzer should take (100 in a plain build, fewer under sanitizers).
function(baton_test_properties out kind)
    if(NOT DEFINED BATON_TIMEOUT_${kind})
        message(FATAL_ERROR "unknown KIND '${kind}' of a test")
    endif()
    math(EXPR timeout "${BATON_TIMEOUT_${kind}} * ${BATON_TEST_TIMEOUT_FACTOR}")
    set(${out} LABELS ${kind} TIMEOUT ${timeout}
        ENVIRONMENT "BATON_TEST_EFFORT=${BATON_TEST_EFFORT}" PARENT_SCOPE)
endfunction()

# A GoogleTest program. In a plain build each of its cases is a test for ctest; under sanitizers the
# whole program is one, since starting it costs more than most cases.
function(baton_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND" "SOURCES;USES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "baton_add_test(${name}): unknown words ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT BUILD_TESTING)
        return()
    endif()
    if(NOT arg_SOURCES)
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/test")
    target_include_directories(${name}
        PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include"
                "${PROJECT_SOURCE_DIR}")
    baton_use(${name} PRIVATE ${arg_USES} gmock gtest rapidcheck)
    target_link_libraries(${name} PRIVATE GTest::gmock_main)
    baton_test_properties(properties ${arg_KIND})
    if(BATON_SANITIZE AND NOT arg_KIND STREQUAL "sim")
        # GoogleTest's macros make instrumented tests half of the build; they compile twice as fast so.
        target_compile_options(${name} PRIVATE -O0)
    endif()
    if(BATON_SANITIZE OR BATON_FUZZ)
        add_test(NAME ${name} COMMAND ${name})
        set_tests_properties(${name} PROPERTIES ${properties})
    else()
        gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 60)
    endif()
endfunction()
