// A revision as a folder that the readers of models open: links to blobs, gone with the object.
#ifndef JIKJI_HUB_LINEAGE_LAY_OUT_H_
#define JIKJI_HUB_LINEAGE_LAY_OUT_H_

#include <filesystem>

#include "base/error.h"
#include "hub/hub.h"

namespace jikji::hub {

// A folder in the hub's `incoming/`, where the collector looks for what was left behind.
class WorkFolder {
 public:
  static Result<WorkFolder> Make(const Hub& hub);
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit WorkFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// `folder` is made.
Result<> LayOut(const Hub& hub, const Listing& listing, const std::filesystem::path& folder);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_LINEAGE_LAY_OUT_H_
