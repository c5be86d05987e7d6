#include "hub/oci/image.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>

#include "hub/gate.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

std::string Upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool IsProjector(std::string_view path) { return Upper(NameOf(path)).starts_with("MMPROJ"); }

// `x-00001-of-00003.gguf`
bool IsPart(std::string_view path) { return path.find("-of-") != std::string_view::npos; }

bool IsRunnable(std::string_view path) {
  return path.ends_with(".gguf") && !IsProjector(path) && !IsPart(path);
}

json::object Descriptor(std::string_view media_type, const Digest& digest, uint64_t size) {
  return {{"mediaType", media_type}, {"digest", "sha256:" + HexOf(digest)}, {"size", size}};
}

json::object ConfigDescriptor(const OciImage& image) {
  return Descriptor(image.config_media_type, Sha256Of(image.config), image.config.size());
}

// What CNCF's ModelPack calls a file of this kind.
std::string_view ModelPackType(std::string_view path) {
  switch (KindOfFile(path).value_or(FileKind::kData)) {
    case FileKind::kWeights:
      return "application/vnd.cncf.model.weight.v1.raw";
    case FileKind::kJson:
    case FileKind::kTemplate:
      return "application/vnd.cncf.model.weight.config.v1.raw";
    case FileKind::kText:
    case FileKind::kCard:
    case FileKind::kImage:
      return "application/vnd.cncf.model.doc.v1.raw";
    case FileKind::kCode:
      return "application/vnd.cncf.model.code.v1.raw";
    case FileKind::kData:
      return "application/vnd.cncf.model.weight.v1.raw";
  }
  return "application/vnd.cncf.model.weight.v1.raw";
}

struct OllamaLayer {
  std::string_view path;
  std::string_view media_type;
};
// The names that Hugging Face's own Ollama surface gives a meaning to, and the licence.
constexpr std::array kBesideTheWeights = {
    OllamaLayer{"template", "application/vnd.ollama.image.template"},
    OllamaLayer{"system", "application/vnd.ollama.image.system"},
    OllamaLayer{"params", "application/vnd.ollama.image.params"},
    OllamaLayer{"LICENSE", "application/vnd.ollama.image.license"},
    OllamaLayer{"LICENSE.md", "application/vnd.ollama.image.license"},
    OllamaLayer{"LICENSE.txt", "application/vnd.ollama.image.license"},
};

}  // namespace

std::string QuantisationOf(std::string_view path) {
  constexpr std::string_view kSuffix = ".gguf";
  if (!path.ends_with(kSuffix)) return {};
  path.remove_suffix(kSuffix.size());
  const std::string label = Upper(path.substr(path.find_last_of("-./") + 1));
  for (const std::string_view whole : {"F16", "BF16", "F32", "MXFP4"}) {
    if (label == whole) return label;
  }
  for (const std::string_view front : {"Q", "IQ", "TQ"}) {
    if (label.starts_with(front) && label.size() > front.size() &&
        std::isdigit(static_cast<unsigned char>(label[front.size()])) != 0) {
      return label;
    }
  }
  return {};
}

std::string GgufFor(const Listing& listing, std::string_view tag) {
  const std::string wanted = tag == "latest" ? "Q4_K_M" : Upper(tag);
  std::string first;
  for (const auto& [path, file] : listing) {
    if (!IsRunnable(path)) continue;
    if (QuantisationOf(path) == wanted) return path;
    if (first.empty()) first = path;
  }
  return tag == "latest" ? first : std::string();
}

std::vector<std::string> QuantisationsOf(const Listing& listing) {
  std::vector<std::string> out;
  for (const auto& [path, file] : listing) {
    if (!IsRunnable(path)) continue;
    if (std::string label = QuantisationOf(path); !label.empty()) out.push_back(std::move(label));
  }
  return out;
}

OciImage OllamaImage(const Listing& listing, const std::string& gguf, const std::string& family) {
  json::array layers, ids;
  const auto add = [&](std::string_view media_type, const File& file) {
    layers.push_back(Descriptor(media_type, file.digest, file.size));
    ids.push_back(layers.back().as_object().at("digest"));
  };
  add("application/vnd.ollama.image.model", listing.at(gguf));
  for (const auto& [path, file] : listing) {
    if (!path.ends_with(".gguf") || !IsProjector(path)) continue;
    add("application/vnd.ollama.image.projector", file);
    break;
  }
  for (const OllamaLayer& layer : kBesideTheWeights) {
    const auto file = listing.find(layer.path);
    if (file != listing.end()) add(layer.media_type, file->second);
  }
  OciImage image{kDockerManifest, {}, "application/vnd.docker.container.image.v1+json", {}};
  image.config =
      json::serialize(json::object{{"model_format", "gguf"},
                                   {"model_family", family},
                                   {"model_families", json::array{family}},
                                   {"file_type", QuantisationOf(gguf)},
                                   {"architecture", "amd64"},
                                   {"os", "linux"},
                                   {"rootfs", {{"type", "layers"}, {"diff_ids", std::move(ids)}}}});
  image.manifest = json::serialize(json::object{{"schemaVersion", 2},
                                                {"mediaType", kDockerManifest},
                                                {"config", ConfigDescriptor(image)},
                                                {"layers", std::move(layers)}});
  return image;
}

OciImage ModelPackImage(const Listing& listing, const std::string& repository) {
  json::array layers, ids;
  for (const auto& [path, file] : listing) {
    json::object layer = Descriptor(ModelPackType(path), file.digest, file.size);
    ids.push_back(layer.at("digest"));
    layer["annotations"] = {{"org.cncf.model.filepath", path},
                            {"org.opencontainers.image.title", path}};
    layers.push_back(std::move(layer));
  }
  OciImage image{kOciManifest, {}, "application/vnd.cncf.model.config.v1+json", {}};
  image.config =
      json::serialize(json::object{{"descriptor", {{"name", repository}}},
                                   {"config", json::object()},
                                   {"modelfs", {{"type", "layers"}, {"diffIds", std::move(ids)}}}});
  image.manifest =
      json::serialize(json::object{{"schemaVersion", 2},
                                   {"mediaType", kOciManifest},
                                   {"artifactType", "application/vnd.cncf.model.manifest.v1+json"},
                                   {"config", ConfigDescriptor(image)},
                                   {"layers", std::move(layers)}});
  return image;
}

}  // namespace jikji::hub
