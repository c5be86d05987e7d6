// The door of a hub: which files may come in.
//
// Contract: a file is of a kind that is on the list, by its name and by its first bytes, or it is
// refused with the reason in both languages. Weights pass the strict readers of tensor/; a pickle,
// an archive or a program never comes in, whatever it is called; code is let in, marked, and never
// run; a chat template is parsed and not rendered. Non-goals: looking for harm in code or text.
#ifndef JIKJI_HUB_GATE_H_
#define JIKJI_HUB_GATE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji::hub {

// Clients without Xet refuse larger files before their first byte, so the hub does too.
inline constexpr uint64_t kMaxFileBytes = 50'000'000'000;

enum class FileKind { kWeights, kJson, kText, kCard, kTemplate, kCode, kImage, kData };

struct Refusal {
  std::string english;
  std::string korean;
};

// By its name alone; nullopt where no file may be called so.
std::optional<FileKind> KindOfFile(std::string_view path);

// What of a file is known before it is sent.
std::optional<Refusal> CheckBeforeUpload(std::string_view path, uint64_t size,
                                         std::string_view first_bytes);
// Once its bytes are here.
std::optional<Refusal> CheckContent(std::string_view path, std::span<const std::byte> bytes);

// Clients load such files when they are told to trust a repository's code.
bool IsCode(std::string_view path);
// config.json of a model that asks its reader to run code of the repository.
bool AsksForCode(std::string_view path, std::string_view content);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_GATE_H_
