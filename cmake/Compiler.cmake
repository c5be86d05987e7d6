# What every target is compiled with.
#
# -ffp-contract=off: a multiply and an add are fused only where a kernel says so. Otherwise the compiler may fuse in
# the main loop and not in its remainder, and a result would depend on where a tile ends (promise 1: same tokens).
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
add_compile_options(-Wall -Wextra -Wno-unused-parameter -ffp-contract=off -fno-math-errno)
if(JIKJI_WERROR)
  add_compile_options(-Werror)
endif()
# libstdc++'s <expected> asks for a feature-test value that Clang before 19 does not report, though it has the feature.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  add_compile_options(-D__cpp_concepts=202002L -Wno-builtin-macro-redefined -Wno-macro-redefined)
endif()
# GCC 12 and 13 warn falsely of overlap in `"text" + std::to_string(n)` once it is inlined (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-restrict)
endif()
if(JIKJI_SANITIZE)
  add_compile_options(-fsanitize=${JIKJI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JIKJI_SANITIZE})
  add_compile_definitions(JIKJI_SANITIZED)
endif()
if(JIKJI_BUILD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # everywhere: the fuzzer is blind where the code does not count its edges
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
