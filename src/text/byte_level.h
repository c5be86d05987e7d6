// GPT-2's way to write any bytes as printable characters: `Ġ` is a space, `Ċ` a newline.
#ifndef JIKJI_TEXT_BYTE_LEVEL_H_
#define JIKJI_TEXT_BYTE_LEVEL_H_

#include <optional>
#include <string>
#include <string_view>

namespace jikji {

// nullopt where a character stands for no byte.
std::optional<std::string> DecodeByteLevel(std::string_view written);

std::string EncodeByteLevel(std::string_view bytes);

}  // namespace jikji

#endif  // JIKJI_TEXT_BYTE_LEVEL_H_
