# Leaves out of a list of sources those that are not there, with a warning, when the file
# build/tolerate-missing exists: in a tree where several people write at once, a list may be a minute
# ahead of its files, and must not stop the others. Without that file a missing source is an error.
function(baton_present_sources out)
    set(present)
    foreach(source IN LISTS ARGN)
        cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
            OUTPUT_VARIABLE path)
        if(EXISTS "${path}" OR NOT EXISTS "${PROJECT_SOURCE_DIR}/build/tolerate-missing")
            list(APPEND present "${source}")
        else()
            message(WARNING "left out, since it is not there: ${path}")
            # A file that appears changes its folder, and that configures anew.
            set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                "${CMAKE_CURRENT_SOURCE_DIR}")
        endif()
    endforeach()
    set(${out} "${present}" PARENT_SCOPE)
endfunction()
