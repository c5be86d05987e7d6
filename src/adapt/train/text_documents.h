// Plain text to documents: the tokenizer's BOS, the text, its EOS; cut into pieces where it is
// longer than a batch.
#ifndef JIKJI_ADAPT_TRAIN_TEXT_DOCUMENTS_H_
#define JIKJI_ADAPT_TRAIN_TEXT_DOCUMENTS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "adapt/train/batch.h"
#include "model/model.h"

namespace jikji::train {

// Appends the text's pieces to `out`; each has at most `max_rows` rows and begins with the last
// token of the one before, so that every token but the first is trained on once. An EOS ends the
// text where the model has one.
void AppendTextDocuments(std::string_view text, const ModelDescription& model, int64_t max_rows,
                         std::vector<Document>& out);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_TEXT_DOCUMENTS_H_
