// Models whose weights are near each other, for tests.
#ifndef JIKJI_HUB_COMPACT_TESTING_H_
#define JIKJI_HUB_COMPACT_TESTING_H_

#include <string>
#include <vector>

#include "base/random.h"
#include "hub/testing/temporary_hub.h"

namespace jikji::hub {

struct TestTensor {
  std::string name;
  std::string bytes;  // of BF16 values in rows of 64
};

// Values as weights are spread: signs and exponents that repeat, mantissas that do not.
inline std::string RandomValues(Random& random, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    const auto value =
        static_cast<uint16_t>(0x3c00 + random.Below(0x180) + random.Below(2) * 0x8000);
    out.append(reinterpret_cast<const char*>(&value), 2);
  }
  return out;
}

inline std::vector<TestTensor> RandomModel(uint64_t seed, size_t tensors = 4) {
  Random random(seed);
  std::vector<TestTensor> out;
  for (size_t i = 0; i < tensors; ++i) {
    out.push_back({"layers." + std::to_string(i) + ".weight", RandomValues(random, 64 * 1024)});
  }
  return out;
}

// Some values move by their last bits.
inline std::vector<TestTensor> Tuned(std::vector<TestTensor> model, uint64_t seed,
                                     size_t frozen = 1) {
  Random random(seed);
  for (size_t i = frozen; i < model.size(); ++i) {
    for (size_t at = 0; at < model[i].bytes.size(); at += 2) {
      model[i].bytes[at] = static_cast<char>(model[i].bytes[at] ^ random.Below(4));
    }
  }
  return model;
}

inline std::string Safetensors(const std::vector<TestTensor>& tensors,
                               const std::string& comment = "") {
  std::string header = R"({"__metadata__":{"format":"pt)" + comment + R"("})";
  std::string data;
  for (const TestTensor& tensor : tensors) {
    header += ",\"" + tensor.name + R"(":{"dtype":"BF16","shape":[)" +
              std::to_string(tensor.bytes.size() / 128) + R"(,64],"data_offsets":[)" +
              std::to_string(data.size()) + "," +
              std::to_string(data.size() + tensor.bytes.size()) + "]}";
    data += tensor.bytes;
  }
  header += "}";
  std::string out(8, '\0');
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<char>(header.size() >> (8 * i));
  return out + header + data;
}

// A card that names `base`, and one file of weights, committed to `main`.
inline Result<> CommitModel(Hub& hub, const Repository& repository, const std::string& weights,
                            const std::string& base = "",
                            const std::string& path = "model.safetensors") {
  JIKJI_ASSIGN(const Hub::Session session, hub.Connect());
  const std::string owner = repository.name.substr(0, repository.name.find('/'));
  const std::string card =
      base.empty() ? "a base\n" : "---\nbase_model: " + base + "\n---\na fine-tune\n";
  CommitRequest request;
  request.repository = repository.id;
  request.owner = owner;
  request.title = "add weights";
  request.author = owner;
  JIKJI_RETURN_IF_ERROR(Store(hub, *session, card, owner));
  JIKJI_ASSIGN(const Digest digest, Store(hub, *session, weights, owner));
  request.changes.push_back({Change::Kind::kPut, "README.md", SmallFile(card)});
  request.changes.push_back({Change::Kind::kPut, path, LargeFile(digest, weights.size())});
  JIKJI_RETURN_IF_ERROR(CommitTo(hub, *session, request));
  return {};
}

inline std::string BytesOf(const Hub& hub, const std::string& like) {
  const auto blob = hub.blobs().OpenBlob(Sha256Of(like));
  if (!blob) return "cannot be opened: " + blob.error().ToString();
  std::string out(blob->size(), '\0');
  const auto read = blob->Read(0, out);
  return read ? out : "cannot be read: " + read.error().ToString();
}

inline bool IsPlain(const Hub& hub, const std::string& bytes) {
  return std::filesystem::exists(hub.blobs().PathOf(Sha256Of(bytes)));
}
inline bool IsCompact(const Hub& hub, const std::string& bytes) {
  return std::filesystem::exists(hub.blobs().CompactPathOf(Sha256Of(bytes)));
}

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMPACT_TESTING_H_
