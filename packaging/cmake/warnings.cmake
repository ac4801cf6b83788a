# Warnings are errors. What one compiler lacks is asked of the other.
add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
                    -Wformat=2 -Wdouble-promotion -Wcast-align -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wno-mismatched-new-delete
                      -Wno-restrict)  # false in g++ 12 for std::string + literal: GCC bug 105651
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes the value of an empty std::optional for uninitialised when it optimises; clang's analysis stays on.
  add_compile_options(-Wno-maybe-uninitialized)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-O0 -g1)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # -O3 makes much more code of the templates, and what is resident counts; what nobody calls is left out.
  add_compile_options(-O2 -g1 -ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()
if(ROLLBACKD_SANITIZE)
  add_compile_options(-fsanitize=${ROLLBACKD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ROLLBACKD_SANITIZE})
  if(ROLLBACKD_SANITIZE STREQUAL "thread")
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan> -O1)
  endif()
endif()
