# A fuzzer: SOURCES define LLVMFuzzerTestOneInput, CORPUS is a folder of inputs beside them.
#
# In preset fuzz it is a libFuzzer program in build/fuzz/fuzz; its test runs it for a bounded number
# of inputs. In every other preset it is an ordinary test: tests/fuzz/replay.cpp runs the corpus and
# a bounded number of seeded mutations of it, so that what a fuzzer once found stays found.
function(baton_add_fuzzer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS;DICTIONARY" "SOURCES;USES")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_CORPUS)
        message(FATAL_ERROR "baton_add_fuzzer(${name}): no CORPUS, or unknown words")
    endif()
    if(NOT BUILD_TESTING)
        return()
    endif()
    cmake_path(ABSOLUTE_PATH arg_CORPUS)
    if(NOT arg_SOURCES)
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
    target_include_directories(${name}
        PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include"
                "${PROJECT_SOURCE_DIR}")
    add_dependencies(fuzzers ${name})
    baton_use(${name} PRIVATE ${arg_USES})
    if(BATON_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set(found "${PROJECT_BINARY_DIR}/corpus/${name}")
        file(MAKE_DIRECTORY "${found}")
        set(dictionary)
        if(arg_DICTIONARY)
            cmake_path(ABSOLUTE_PATH arg_DICTIONARY)
            set(dictionary "-dict=${arg_DICTIONARY}")
        endif()
        math(EXPR runs "1000 * ${BATON_TEST_EFFORT}")
        # New inputs go to the first folder; the corpus in the source tree is only read.
        add_test(NAME ${name} COMMAND ${name} -runs=${runs} -max_total_time=60
            -artifact_prefix=${found}/ ${dictionary} "${found}" "${arg_CORPUS}")
    else()
        target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cpp")
        add_test(NAME ${name} COMMAND ${name} "${arg_CORPUS}")
    endif()
    baton_test_properties(properties fuzz)
    set_tests_properties(${name} PROPERTIES ${properties})
endfunction()
