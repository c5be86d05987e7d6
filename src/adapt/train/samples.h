// Training data in files, one sample at a time: conversations, preferences, or plain text.
//
// Contract: nothing is dropped silently: what cannot be used is counted under its reason, with the
// first places it was met.
#ifndef JIKJI_ADAPT_TRAIN_SAMPLES_H_
#define JIKJI_ADAPT_TRAIN_SAMPLES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "adapt/train/batch.h"
#include "adapt/train/chat_documents.h"
#include "base/error.h"
#include "model/model.h"

namespace jikji::train {

// Places that are named of each reason: enough to find what went wrong, and no more than a line.
inline constexpr size_t kNamedPlaces = 8;

struct Refused {
  int64_t count = 0;
  std::vector<std::string> places;  // file:line of the first kNamedPlaces
};

struct Samples {
  std::vector<Document> documents;
  std::map<std::string, Refused> refused;  // by reason

  void Refuse(const std::string& reason, const std::string& where);
};

// Files of samples (data/sample_reader.h) in any form of conversation (data/chat_sample.h).
// Conversations of more than `max_rows` are refused: cut, they would lose the end of their answer.
Result<> ReadChats(const std::filesystem::path& file, const ModelDescription& model,
                   int64_t max_rows, Samples& out);

// Samples {"prompt", "chosen", "rejected"}: each text, or a list of messages; the prompt may be
// missing where both answers are whole conversations. Two documents a sample, the better first;
// both must be of use, and together have at most `max_rows`.
Result<> ReadPreferences(const std::filesystem::path& file, const ModelDescription& model,
                         int64_t max_rows, Samples& out);

// Of .jsonl and .json files samples {"text": ...}; any other file is text whose documents are
// parted by empty lines. `.zst` too. Of a text with a line that is not UTF-8 the line is refused.
Result<> ReadTexts(const std::filesystem::path& file, const ModelDescription& model,
                   int64_t max_rows, Samples& out);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_SAMPLES_H_
