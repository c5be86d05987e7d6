# jikji_device_code(TARGET FILE.cu...): kernels for devices (src/device/kernel.h), compiled twice. As C++ they are part of the
# target and run on the emulated device. As CUDA they become PTX inside the program, which an NVIDIA driver compiles for its
# chip at start: that takes a Clang 16 or later, and neither CUDA's toolkit nor a GPU. Without such a Clang the program says at
# run time that it has no GPU code. With JIKJI_CUDA (the `cuda` preset) CUDA's assembler makes machine code of the same PTX for
# the chips of the site, so that nothing is left to compile at start; later chips still get the PTX.
find_program(JIKJI_DEVICE_CLANG NAMES clang++-16 clang++-19 clang++-18 clang++-17 clang++-20
  DOC "Clang that compiles kernels to PTX")

if(JIKJI_CUDA)
  set(JIKJI_CUDA_BIN HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
  find_program(JIKJI_PTXAS ptxas ${JIKJI_CUDA_BIN} REQUIRED)
  find_program(JIKJI_FATBINARY fatbinary ${JIKJI_CUDA_BIN} REQUIRED)
  if(NOT JIKJI_DEVICE_CLANG)
    message(FATAL_ERROR "the cuda preset assembles PTX that Clang 16 or later makes: tools/setup check")
  endif()
  # Hopper, Blackwell; a toolkit before 12.8 does not know the latter.
  set(JIKJI_CHIPS 90a 100a)
  execute_process(COMMAND ${JIKJI_PTXAS} --help OUTPUT_VARIABLE ptxas_help COMMAND_ERROR_IS_FATAL ANY)
  if(NOT ptxas_help MATCHES "sm_100a")
    list(REMOVE_ITEM JIKJI_CHIPS 100a)
  endif()
endif()

# Ampere's instructions: bfloat16 in the matrix units. Drivers compile it for later chips.
set(JIKJI_PTX_FLAGS -x cuda --cuda-device-only --cuda-gpu-arch=sm_80 -nocudainc -nocudalib -std=c++20 -O3
  -ffp-contract=off -Wall -Wextra -Werror -Wno-unknown-cuda-version -I${PROJECT_SOURCE_DIR}/src)

# jikji_fat_binary(NAME PTX OUTPUT): what a driver takes, machine code for JIKJI_CHIPS and the PTX.
function(jikji_fat_binary name ptx output)
  set(cubins "")
  set(images "")
  foreach(chip ${JIKJI_CHIPS})
    set(cubin ${CMAKE_CURRENT_BINARY_DIR}/${name}.sm_${chip}.cubin)
    add_custom_command(
      OUTPUT ${cubin}
      COMMAND ${JIKJI_PTXAS} -arch=sm_${chip} -O3 ${ptx} -o ${cubin}
      DEPENDS ${ptx}
      COMMENT "Assembling ${name} for sm_${chip}"
      VERBATIM)
    list(APPEND cubins ${cubin})
    list(APPEND images --image3=kind=elf,sm=${chip},file=${cubin})
  endforeach()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${JIKJI_FATBINARY} --64 --compress-all ${images} --image3=kind=ptx,sm=80,file=${ptx} --create=${output}
    DEPENDS ${ptx} ${cubins}
    VERBATIM)
endfunction()

function(jikji_device_code target)
  set(ptx_files "")
  set(modules "")
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
      set(module ${ptx})
      if(JIKJI_CUDA)
        set(module ${CMAKE_CURRENT_BINARY_DIR}/${name}.fatbin)
        jikji_fat_binary(${name} ${ptx} ${module})
      endif()
      list(APPEND modules ${module})
    endif()
  endforeach()
  set(output ${CMAKE_CURRENT_BINARY_DIR}/code_modules.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${modules}" -P ${PROJECT_SOURCE_DIR}/cmake/EmbedModules.cmake
    DEPENDS ${modules} ${PROJECT_SOURCE_DIR}/cmake/EmbedModules.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
  set_property(TARGET ${target} PROPERTY JIKJI_PTX_FILES ${ptx_files})
  set_property(TARGET ${target} PROPERTY JIKJI_MODULE_FILES ${modules})
endfunction()
