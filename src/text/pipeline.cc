#include "text/pipeline.h"

#include <utility>

#include "base/utf8.h"

namespace jikji {
namespace {

class Pipeline : public Tokenizer {
 public:
  explicit Pipeline(PipelineParts parts) : parts_(std::move(parts)) {}

  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options) const override {
    std::vector<TokenId> out;
    std::string repaired;
    if (!IsValidUtf8(text)) {
      repaired = ReplaceInvalidUtf8(text);
      text = repaired;
    }
    out.reserve(text.size() / 4 + 8);
    if (options.add_special) {
      out.insert(out.end(), parts_.prefix.begin(), parts_.prefix.end());
    }
    if (parts_.added.empty()) {
      EncodeText(text, true, options, out);
    } else {
      for (const auto& part : parts_.added.Split(text, options.parse_special)) {
        if (part.id >= 0) {
          out.push_back(part.id);
        } else {
          EncodeText(text.substr(part.begin, part.end - part.begin), part.begin == 0, options, out);
        }
      }
    }
    if (options.add_special) {
      out.insert(out.end(), parts_.suffix.begin(), parts_.suffix.end());
    }
    return out;
  }

  std::string_view TokenBytes(TokenId id) const override { return parts_.decoded[id]; }
  bool strips_leading_space() const override { return parts_.strips_leading_space; }
  int32_t vocab_size() const override { return parts_.written.size(); }
  bool IsSpecial(TokenId id) const override {
    return id >= 0 && static_cast<size_t>(id) < parts_.special.size() &&
           parts_.special[static_cast<size_t>(id)];
  }
  std::optional<TokenId> FindToken(std::string_view written) const override {
    const int32_t id = parts_.written.Find(written);
    return id < 0 ? std::nullopt : std::optional<TokenId>(id);
  }
  std::optional<TokenId> bos() const override { return parts_.bos; }
  std::optional<TokenId> eos() const override { return parts_.eos; }
  std::string Description() const override { return parts_.description; }

 private:
  // Gives pieces to the model.
  struct ModelSink : PieceSink {
    ModelSink(const TokenModel& m, std::vector<TokenId>& o) : model(m), out(o) {}
    void Take(std::string_view piece, bool) override { model.Encode(piece, out); }
    const TokenModel& model;
    std::vector<TokenId>& out;
  };

  void EncodeText(std::string_view text, bool at_start, const EncodeOptions& options,
                  std::vector<TokenId>& out) const {
    std::string normalized;
    if (!parts_.normalizer.empty()) {
      normalized = ApplyNormalizer(parts_.normalizer, text);
      text = normalized;
    }
    if (parts_.added_normalized.empty()) return EncodePlain(text, at_start, out);
    for (const auto& part : parts_.added_normalized.Split(text, options.parse_special)) {
      if (part.id >= 0) {
        out.push_back(part.id);
      } else {
        EncodePlain(text.substr(part.begin, part.end - part.begin), at_start && part.begin == 0,
                    out);
      }
    }
  }

  void EncodePlain(std::string_view text, bool at_start, std::vector<TokenId>& out) const {
    if (text.empty()) return;
    if (parts_.splitter == nullptr) return parts_.model->Encode(text, out);
    ModelSink sink(*parts_.model, out);
    parts_.splitter->Split(text, at_start, sink);
  }

  const PipelineParts parts_;
};

}  // namespace

std::shared_ptr<const Tokenizer> MakePipeline(PipelineParts parts) {
  return std::make_shared<Pipeline>(std::move(parts));
}

}  // namespace jikji
