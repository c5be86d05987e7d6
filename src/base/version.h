// The version of the program, as CMakeLists.txt gives it.
#ifndef JIKJI_BASE_VERSION_H_
#define JIKJI_BASE_VERSION_H_

namespace jikji {

inline constexpr const char* kVersion = JIKJI_VERSION;

}  // namespace jikji

#endif  // JIKJI_BASE_VERSION_H_
