#include "adapt/train/text_documents.h"

#include <algorithm>

namespace jikji::train {

void AppendTextDocuments(std::string_view text, const ModelDescription& model, int64_t max_rows,
                         std::vector<Document>& out) {
  const Tokenizer& tokenizer = *model.tokenizer;
  std::vector<TokenId> ids = tokenizer.Encode(text);
  if (ids.empty()) return;
  if (const auto bos = tokenizer.bos()) ids.insert(ids.begin(), *bos);
  if (const auto eos = tokenizer.eos()) ids.push_back(*eos);
  const auto rows = static_cast<size_t>(max_rows);
  for (size_t begin = 0; begin + 1 < ids.size(); begin += rows) {
    const size_t end = std::min(ids.size(), begin + rows + 1);
    Document& piece = out.emplace_back();
    piece.tokens.assign(ids.begin() + static_cast<int64_t>(begin),
                        ids.begin() + static_cast<int64_t>(end));
    piece.trained.assign(piece.tokens.size(), true);
    piece.trained.front() = false;
  }
}

}  // namespace jikji::train
