# jikji_device_code(TARGET FILE.cu...): kernels for devices (src/device/kernel.h), compiled twice. As C++ they are part of the
# target and run on the emulated device. As CUDA they become PTX inside the program, which an NVIDIA driver compiles for its
# chip at start: that takes a Clang 16 or later, and neither CUDA's toolkit nor a GPU. Without such a Clang the program says at
# run time that it has no GPU code.
find_program(JIKJI_DEVICE_CLANG NAMES clang++-16 clang++-19 clang++-18 clang++-17 clang++-20
  DOC "Clang that compiles kernels to PTX")

# Ampere's instructions: bfloat16 in the matrix units. Drivers compile it for later chips.
set(JIKJI_PTX_FLAGS -x cuda --cuda-device-only --cuda-gpu-arch=sm_80 -nocudainc -nocudalib -std=c++20 -O3
  -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-cuda-version -I${PROJECT_SOURCE_DIR}/src)

function(jikji_device_code target)
  set(ptx_files "")
  foreach(file ${ARGN})
    set_source_files_properties(${file} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
    target_sources(${target} PRIVATE ${file})
    if(JIKJI_DEVICE_CLANG)
      get_filename_component(name ${file} NAME_WE)
      set(ptx ${CMAKE_CURRENT_BINARY_DIR}/${name}.ptx)
      add_custom_command(
        OUTPUT ${ptx}
        COMMAND ${JIKJI_DEVICE_CLANG} ${JIKJI_PTX_FLAGS} -MD -MF ${ptx}.d -MT ${ptx} -S ${file} -o ${ptx}
        DEPENDS ${file}
        DEPFILE ${ptx}.d
        COMMENT "Compiling ${name}.cu to PTX"
        VERBATIM)
      list(APPEND ptx_files ${ptx})
    endif()
  endforeach()
  set(output ${CMAKE_CURRENT_BINARY_DIR}/ptx_modules.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${ptx_files}" -P ${PROJECT_SOURCE_DIR}/cmake/EmbedPtx.cmake
    DEPENDS ${ptx_files} ${PROJECT_SOURCE_DIR}/cmake/EmbedPtx.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
  set_property(TARGET ${target} PROPERTY JIKJI_PTX_FILES ${ptx_files})
endfunction()
