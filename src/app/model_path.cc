#include "app/model_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

namespace jikji {

namespace fs = std::filesystem;

std::vector<fs::path> ModelFolders() {
  std::vector<fs::path> folders;
  if (const char* folder = std::getenv("JIKJI_MODELS")) folders.emplace_back(folder);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path folder = program.parent_path();
    folders.push_back(folder / "../../models");           // build/release/jikji
    folders.push_back(folder / "../share/jikji/models");  // PREFIX/bin/jikji
  }
  folders.emplace_back("models");
  return folders;
}

Result<fs::path> FindModel(const std::string& wanted) {
  std::error_code error;
  const std::string name = wanted.empty() ? kBuiltInModel : wanted;
  if (!wanted.empty() && fs::exists(wanted, error)) return fs::path(wanted);
  std::vector<std::string> looked;
  // A name, not a path: what is asked for must lie in one of the folders.
  if (fs::path(name).filename() == name && name != "." && name != "..") {
    for (const fs::path& folder : ModelFolders()) {
      if (fs::exists(folder / name, error)) return fs::weakly_canonical(folder / name, error);
      looked.push_back(folder.lexically_normal().string());
    }
  }
  return Fail(ErrorCode::kNotFound,
              looked.empty() ? fmt::format("there is no model at `{}`", name)
                             : fmt::format("there is no model `{}`; looked here and in {}", name,
                                           fmt::join(looked, ", ")));
}

}  // namespace jikji
