// For tests: the tokenizer of an adapter of the built-in model that knows one word more.
#ifndef JIKJI_ENGINE_TEST_EXTENDED_TOKENIZER_H_
#define JIKJI_ENGINE_TEST_EXTENDED_TOKENIZER_H_

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/json.h"

namespace jikji {

inline constexpr const char* kNewWord = "직지심체요절";  // one token of it

// The built-in one, and kNewWord as token `id`.
inline void WriteExtendedTokenizer(const std::filesystem::path& folder, int64_t id) {
  auto json = *ParseJsonFile(JIKJI_SOURCE_DIR "/models/jikji-mini-ko/tokenizer.json");
  json.at("added_tokens")
      .as_array()
      .push_back({{"id", id}, {"content", kNewWord}, {"special", false}, {"normalized", false}});
  EXPECT_TRUE(WriteFileAtomic(folder / "tokenizer.json", boost::json::serialize(json)));
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_TEST_EXTENDED_TOKENIZER_H_
