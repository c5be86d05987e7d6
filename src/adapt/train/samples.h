// Training data in files, one sample at a time: conversations as JSONL, or plain text.
//
// Contract: nothing is dropped silently: what cannot be used is counted under its reason, with the
// first place it was met.
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

struct Refused {
  int64_t count = 0;
  std::string first;  // file:line
};

struct Samples {
  std::vector<Document> documents;
  std::map<std::string, Refused> refused;  // by reason

  void Refuse(const std::string& reason, const std::string& where);
};

// Lines {"messages": [{"role", "content"}, ...]}. Conversations of more than `max_rows` are
// refused: cut, they would lose the end of their answer.
Result<> ReadChats(const std::filesystem::path& file, const ModelDescription& model,
                   int64_t max_rows, Samples& out);

// Lines {"prompt", "chosen", "rejected"}: each text, or a list of messages; the prompt may be
// missing where both answers are whole conversations. Two documents a line, the better first; both
// must be of use, and together have at most `max_rows`.
Result<> ReadPreferences(const std::filesystem::path& file, const ModelDescription& model,
                         int64_t max_rows, Samples& out);

// A .jsonl file of lines {"text": ...}; any other is text whose documents are parted by empty
// lines.
Result<> ReadTexts(const std::filesystem::path& file, const ModelDescription& model,
                   int64_t max_rows, Samples& out);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_SAMPLES_H_
