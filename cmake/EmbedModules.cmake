# Writes OUTPUT, a C++ file that holds FILES, PTX or fat binaries, as kernels/gpu/code_modules.h declares them; run by jikji_device_code.
set(entries "")
foreach(file ${FILES})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  get_filename_component(name ${file} NAME_WE)
  # The driver reads PTX to a zero byte.
  string(APPEND arrays "constexpr unsigned char k_${name}[] = {${bytes}0};\n")
  string(APPEND entries "    reinterpret_cast<const char*>(k_${name}),\n")
endforeach()
if(NOT entries)
  file(WRITE ${OUTPUT} "#include \"kernels/gpu/code_modules.h\"
namespace jikji::kernels::gpu {
std::span<const char* const> CodeModules() { return {}; }
}  // namespace jikji::kernels::gpu
")
  return()
endif()
file(WRITE ${OUTPUT} "#include \"kernels/gpu/code_modules.h\"
namespace jikji::kernels::gpu {
namespace {
${arrays}
const char* const kModules[] = {
${entries}};
}  // namespace
std::span<const char* const> CodeModules() { return kModules; }
}  // namespace jikji::kernels::gpu
")
