// A revision as an OCI registry presents it: a manifest, and the configuration that it names.
//
// Contract: pure functions of a listing, so that a manifest's digest is the same whenever it is
// made. Layers are the repository's own blobs: nothing is packed or copied.
#ifndef JIKJI_HUB_OCI_IMAGE_H_
#define JIKJI_HUB_OCI_IMAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/listing.h"

namespace jikji::hub {

inline constexpr const char* kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";

struct OciImage {
  std::string media_type;
  std::string manifest;
  std::string config_media_type;
  std::string config;
};

// "Q4_K_M" of `model-q4_k_m.gguf`, as a tag names one of several files; empty where its name tells
// of none.
std::string QuantisationOf(std::string_view path);

// The GGUF file that a tag means: the one of that quantisation; `latest`: of Q4_K_M, else the
// first. Projectors and files in parts are none. Empty where there is no such file.
std::string GgufFor(const Listing& listing, std::string_view tag);
// Of all such files, for a list of tags.
std::vector<std::string> QuantisationsOf(const Listing& listing);

// As Ollama takes it: the file `gguf`, and what lies beside it (`template`, `system`, `params`,
// LICENSE, a projector). `family` is the file's architecture.
OciImage OllamaImage(const Listing& listing, const std::string& gguf, const std::string& family);

// All files as layers of CNCF's ModelPack, under their paths.
OciImage ModelPackImage(const Listing& listing, const std::string& repository);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_OCI_IMAGE_H_
