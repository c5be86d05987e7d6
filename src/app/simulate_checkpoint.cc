#include "app/simulate_checkpoint.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/version.h"
#include "store/digest.h"

namespace jikji {

SimulationCheckpoints::SimulationCheckpoints(std::chrono::minutes interval)
    : interval_(interval), due_(std::chrono::steady_clock::now() + interval) {}

Result<std::unique_ptr<SimulationCheckpoints>> SimulationCheckpoints::Open(
    const std::filesystem::path& file, std::chrono::minutes interval, std::string settings,
    std::span<const std::string> files) {
  std::string origin = fmt::format("jikji {}\n{}", kVersion, settings);
  for (const std::string& path : files) {
    if (path.empty()) continue;
    JIKJI_ASSIGN(const MappedFile mapped, MappedFile::Open(path));
    const std::string_view content(reinterpret_cast<const char*>(mapped.bytes().data()),
                                   mapped.bytes().size());
    origin += fmt::format("{}: SHA-256 {}\n", path, HexOf(Sha256Of(content)));
  }
  std::unique_ptr<SimulationCheckpoints> checkpoints(new SimulationCheckpoints(interval));
  checkpoints->keeping_ = {.file = file,
                           .settings = std::move(origin),
                           .resume = std::filesystem::exists(file),
                           .wish = [self = checkpoints.get()] { return self->Wish(); }};
  return checkpoints;
}

twin::StateKeeping::Wish SimulationCheckpoints::Wish() {
  if (signals_.stop()) return twin::StateKeeping::Wish::kSaveAndStop;
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) return twin::StateKeeping::Wish::kGoOn;
  due_ = now + interval_;
  return twin::StateKeeping::Wish::kSave;
}

Result<> SimulationCheckpoints::End() const {
  std::error_code error;
  std::filesystem::remove(keeping_.file, error);
  if (error) return Fail(ErrorCode::kIo, error.message(), keeping_.file.string());
  return {};
}

}  // namespace jikji
