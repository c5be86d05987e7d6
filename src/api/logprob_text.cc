#include "api/logprob_text.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "api/json_text.h"
#include "base/utf8.h"

namespace jikji {
namespace {

class ChatLogprobs : public LogprobText {
 public:
  explicit ChatLogprobs(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}

  void Add(const TokenLogprob& entry) override {
    if (!content_.empty()) content_ += ',';
    AppendToken(entry.token, entry.logprob);
    content_ += R"(,"top_logprobs":[)";
    for (size_t i = 0; i < entry.top.size(); ++i) {
      if (i > 0) content_ += ',';
      AppendToken(entry.top[i].first, entry.top[i].second);
      content_ += '}';
    }
    content_ += "]}";
  }

  void AddUnforetold(TokenId token) override { Add({.token = token, .logprob = 0, .top = {}}); }

  bool empty() const override { return content_.empty(); }

  void Take(std::string& out) override {
    if (content_.empty()) {
      out += "null";
      return;
    }
    out += R"({"content":[)";
    out += content_;
    out += R"(],"refusal":null})";
    content_.clear();
  }

 private:
  void AppendToken(TokenId token, float logprob) {
    const std::string_view bytes = tokenizer_->TokenBytes(token);
    content_ += R"({"token":)";
    AppendJsonString(bytes, content_);
    content_ += R"(,"logprob":)";
    AppendJsonLogprob(logprob, content_);
    content_ += R"(,"bytes":)";
    AppendJsonBytes(bytes, content_);
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string content_;
};

class CompletionLogprobs : public LogprobText {
 public:
  explicit CompletionLogprobs(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}

  void Add(const TokenLogprob& entry) override {
    Separate();
    AppendJsonLogprob(entry.logprob, token_logprobs_);
    AppendTop(entry);
    AppendToken(entry.token);
  }

  void AddUnforetold(TokenId token) override {
    Separate();
    token_logprobs_ += "null";
    top_logprobs_ += "null";
    AppendToken(token);
  }

  bool empty() const override { return tokens_.empty(); }

  void Take(std::string& out) override {
    if (empty()) {
      out += "null";
      return;
    }
    const auto move = [&out](const char* key, std::string& list) {
      out += key;
      out += list;
      out += ']';
      list.clear();
    };
    move(R"({"tokens":[)", tokens_);
    move(R"(,"token_logprobs":[)", token_logprobs_);
    move(R"(,"top_logprobs":[)", top_logprobs_);
    move(R"(,"text_offset":[)", offsets_);
    out += '}';
  }

 private:
  void Separate() {
    if (empty()) return;
    for (std::string* list : {&tokens_, &token_logprobs_, &top_logprobs_, &offsets_}) *list += ',';
  }

  // The likeliest and the token itself, each text once: the keys of an object.
  void AppendTop(const TokenLogprob& entry) {
    std::vector<std::string_view> keys;
    top_logprobs_ += '{';
    const auto append = [&](TokenId token, float logprob) {
      const std::string_view bytes = tokenizer_->TokenBytes(token);
      // Pieces of characters may look alike once they are shown; the likelier keeps the name.
      if (std::ranges::any_of(keys, [&](std::string_view key) { return SameShown(key, bytes); })) {
        return;
      }
      if (!keys.empty()) top_logprobs_ += ',';
      keys.push_back(bytes);
      AppendJsonString(bytes, top_logprobs_);
      top_logprobs_ += ':';
      AppendJsonLogprob(logprob, top_logprobs_);
    };
    for (const auto& [token, logprob] : entry.top) append(token, logprob);
    append(entry.token, entry.logprob);
    top_logprobs_ += '}';
  }

  static bool SameShown(std::string_view a, std::string_view b) {
    return a == b ||
           ((!IsValidUtf8(a) || !IsValidUtf8(b)) && ReplaceInvalidUtf8(a) == ReplaceInvalidUtf8(b));
  }

  void AppendToken(TokenId token) {
    const std::string_view bytes = tokenizer_->TokenBytes(token);
    AppendJsonString(bytes, tokens_);
    AppendJsonInt(characters_, offsets_);
    // A token offset counts the whole characters before its first byte.
    pending_ += bytes;
    const size_t whole = pending_.size() - IncompleteUtf8Suffix(pending_);
    for (std::string_view rest(pending_.data(), whole); !rest.empty(); ++characters_) {
      rest.remove_prefix(DecodeUtf8(rest).length);
    }
    pending_.erase(0, whole);
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string tokens_, token_logprobs_, top_logprobs_, offsets_;
  int64_t characters_ = 0;
  std::string pending_;
};

}  // namespace

std::unique_ptr<LogprobText> MakeChatLogprobs(std::shared_ptr<const Tokenizer> tokenizer) {
  return std::make_unique<ChatLogprobs>(std::move(tokenizer));
}

std::unique_ptr<LogprobText> MakeCompletionLogprobs(std::shared_ptr<const Tokenizer> tokenizer) {
  return std::make_unique<CompletionLogprobs>(std::move(tokenizer));
}

void AppendPromptLogprobs(std::span<const TokenLogprob> entries, const Tokenizer& tokenizer,
                          std::string& out) {
  const auto append = [&](TokenId token, float logprob, int64_t rank) {
    out += '"';
    AppendJsonInt(token, out);
    out += R"(":{"logprob":)";
    AppendJsonLogprob(logprob, out);
    out += R"(,"rank":)";
    if (rank > 0) {
      AppendJsonInt(rank, out);
    } else {
      out += "null";
    }
    out += R"(,"decoded_token":)";
    AppendJsonString(tokenizer.TokenBytes(token), out);
    out += '}';
  };
  out += "[null";
  for (const TokenLogprob& entry : entries) {
    out += ",{";
    bool listed = false;
    for (size_t i = 0; i < entry.top.size(); ++i) {
      if (i > 0) out += ',';
      append(entry.top[i].first, entry.top[i].second, static_cast<int64_t>(i) + 1);
      listed |= entry.top[i].first == entry.token;
    }
    if (!listed) {
      if (!entry.top.empty()) out += ',';
      append(entry.token, entry.logprob, 0);
    }
    out += '}';
  }
  out += ']';
}

}  // namespace jikji
