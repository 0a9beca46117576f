# One room of src/core or src/io: static library baton_<shelf>_<room>; its arrows are what it links.
# A room of headers alone has no SOURCES.
function(baton_room name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "baton_room(${name}): unknown words ${arg_UNPARSED_ARGUMENTS}")
    endif()
    string(REPLACE "/" "_" target "baton_${name}")
    if(NOT arg_SOURCES)
        file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/headers_only.cpp" "")
        set(arg_SOURCES "${CMAKE_CURRENT_BINARY_DIR}/headers_only.cpp")
    endif()
    add_library(${target} STATIC ${arg_SOURCES})
    target_include_directories(${target}
        PUBLIC "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
    baton_use(${target} PUBLIC ${arg_USES})
endfunction()
