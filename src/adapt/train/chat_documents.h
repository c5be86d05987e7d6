// Conversations to documents with a mask: the loss is taken on what the assistant says, up to and
// with the token that ends its turn.
//
// Contract: the tokens before an answer are exactly those that serving would give the model as its
// prompt (the same template, the same tokenizer), and the answer's are those it would have to
// generate. What cannot be encoded so is refused with a reason, never trained on in another form.
#ifndef JIKJI_ADAPT_TRAIN_CHAT_DOCUMENTS_H_
#define JIKJI_ADAPT_TRAIN_CHAT_DOCUMENTS_H_

#include <boost/json/fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "adapt/data/chat_sample.h"
#include "adapt/train/batch.h"
#include "base/error.h"
#include "model/model.h"

namespace jikji::train {

class ChatDocuments {
 public:
  // `model` outlives this. An error where it has no chat template, or no token that ends a turn.
  static Result<ChatDocuments> Create(const ModelDescription& model);

  // An error says what is wrong with the conversation, in words that need no context.
  Result<Document> Encode(std::span<const ChatTurn> turns) const;

 private:
  explicit ChatDocuments(const ModelDescription& model) : model_(&model) {}

  Result<std::string> Render(std::span<const ChatTurn> turns, bool for_answer) const;
  std::vector<TokenId> Tokens(std::string_view rendered) const;
  Result<> CheckTexts(std::span<const ChatTurn> turns) const;

  const ModelDescription* model_;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_CHAT_DOCUMENTS_H_
