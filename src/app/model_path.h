// Which model a command means: a path, the name of a folder of models/, or the built-in one.
#ifndef JIKJI_APP_MODEL_PATH_H_
#define JIKJI_APP_MODEL_PATH_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji {

inline constexpr const char* kBuiltInModel = "jikji-mini-ko";

// Folders that may hold models, best first: JIKJI_MODELS, models/ beside the build or the
// installation, models/ here.
std::vector<std::filesystem::path> ModelFolders();

// `wanted` is a folder, a .gguf file, a name within ModelFolders(), or empty for the built-in
// model.
Result<std::filesystem::path> FindModel(const std::string& wanted);

}  // namespace jikji

#endif  // JIKJI_APP_MODEL_PATH_H_
