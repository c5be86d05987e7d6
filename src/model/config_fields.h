// The numbers of a model's configuration, whether they stand in config.json or in GGUF keys, read
// within bounds.
//
// Contract: nothing is believed. A value of the wrong type or outside its bounds is an error that
// names the file and the key. An absent field and null are the same.
#ifndef JIKJI_MODEL_CONFIG_FIELDS_H_
#define JIKJI_MODEL_CONFIG_FIELDS_H_

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/gguf_metadata.h"

namespace jikji {

class ConfigFields {
 public:
  explicit ConfigFields(std::string file) : file_(std::move(file)) {}
  virtual ~ConfigFields() = default;

  virtual bool Has(std::string_view key) const = 0;
  virtual bool IsString(std::string_view key) const = 0;
  virtual bool IsList(std::string_view key) const = 0;
  virtual Result<std::optional<int64_t>> FindInt(std::string_view key) const = 0;
  virtual Result<std::optional<double>> FindNumber(std::string_view key) const = 0;
  virtual Result<std::optional<bool>> FindBool(std::string_view key) const = 0;
  virtual Result<std::optional<std::string>> FindString(std::string_view key) const = 0;
  virtual Result<std::optional<std::vector<int64_t>>> FindInts(std::string_view key) const = 0;
  virtual Result<std::optional<std::vector<bool>>> FindBools(std::string_view key) const = 0;
  virtual Result<std::optional<std::vector<std::string>>> FindStrings(
      std::string_view key) const = 0;
  // The object under `key`, whose own keys are then read; nullptr where absent.
  virtual Result<std::unique_ptr<ConfigFields>> FindObject(std::string_view key) const = 0;

  // Required, or with a value for where it is absent; both within [min, max].
  Result<int64_t> Int(std::string_view key, int64_t min, int64_t max) const;
  Result<int64_t> IntOr(std::string_view key, int64_t absent, int64_t min, int64_t max) const;
  Result<double> Number(std::string_view key, double min, double max) const;
  Result<double> NumberOr(std::string_view key, double absent, double min, double max) const;
  Result<bool> BoolOr(std::string_view key, bool absent) const;

  const std::string& file() const { return file_; }
  // The key as it stands in the file: "rope_scaling.factor", "llama.block_count".
  virtual std::string FullKey(std::string_view key) const = 0;
  std::unexpected<Error> Malformed(std::string_view key, std::string_view what) const;
  std::unexpected<Error> Unsupported(std::string_view key, std::string_view what) const;

 private:
  std::string file_;
};

// Over an object of config.json, which must outlive it. `prefix` names a nested object.
std::unique_ptr<ConfigFields> JsonFields(const boost::json::object& object, std::string file,
                                         std::string prefix = {});

// Over the keys `ARCHITECTURE.key`. The metadata must outlive it.
std::unique_ptr<ConfigFields> GgufFields(const GgufMetadata& metadata, std::string file,
                                         std::string architecture);

}  // namespace jikji

#endif  // JIKJI_MODEL_CONFIG_FIELDS_H_
