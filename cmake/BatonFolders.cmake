# Takes in the folders that are there.
macro(baton_add_folders)
    foreach(folder ${ARGN})
        if(EXISTS "${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt")
            add_subdirectory("${folder}")
        endif()
    endforeach()
endmacro()
