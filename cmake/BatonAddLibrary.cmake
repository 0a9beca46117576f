# A shared library in build/<preset>/lib, installed with its HEADERS (into include/baton).
#
# NAME is the target and, without its "lib", the file: libbaton -> libbaton.so.0. Rooms are taken in;
# only the symbols of EXPORTS (a linker version script; default: baton_*) are visible.
# VERSION is the ABI's number (default 0). PRELOAD: for LD_PRELOAD, no version in the file's name.
function(baton_add_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "PRELOAD" "EXPORTS;VERSION" "SOURCES;USES;HEADERS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "baton_add_library(${name}): unknown words ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_EXPORTS)
        set(arg_EXPORTS "${PROJECT_SOURCE_DIR}/cmake/exports.map")
    endif()
    if(NOT DEFINED arg_VERSION)
        set(arg_VERSION 0)
    endif()
    cmake_path(ABSOLUTE_PATH arg_EXPORTS)

    if(NOT arg_SOURCES)
        return()
    endif()
    add_library(${name} SHARED ${arg_SOURCES})
    string(REGEX REPLACE "^lib" "" file "${name}")
    set_target_properties(${name} PROPERTIES OUTPUT_NAME "${file}")
    if(NOT arg_PRELOAD)
        set_target_properties(${name} PROPERTIES
            SOVERSION ${arg_VERSION} VERSION ${arg_VERSION}.${PROJECT_VERSION})
    endif()
    # Users see the installed headers; rooms stay inside.
    target_include_directories(${name}
        PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
        PRIVATE "${PROJECT_SOURCE_DIR}/src")
    add_dependencies(programs ${name})
    baton_use(${name} PRIVATE ${arg_USES})
    target_link_options(${name} PRIVATE
        "LINKER:--version-script=${arg_EXPORTS}" "LINKER:--exclude-libs,ALL")
    set_target_properties(${name} PROPERTIES LINK_DEPENDS "${arg_EXPORTS}")
    install(TARGETS ${name} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    if(arg_HEADERS)
        install(FILES ${arg_HEADERS} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/baton")
    endif()
endfunction()
