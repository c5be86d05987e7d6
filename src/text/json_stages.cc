#include "text/json_stages.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "base/json.h"
#include "text/byte_level.h"
#include "text/token_model.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

namespace bj = boost::json;

constexpr size_t kMaxStages = 64;

std::unexpected<Error> Unsupported(std::string what, std::string_view path) {
  return Fail(ErrorCode::kUnsupported, std::move(what), std::string(path));
}

Result<std::string> RequiredString(const bj::object& object, std::string_view key,
                                   std::string_view path) {
  JIKJI_ASSIGN(auto value, OptionalString(object, key, path));
  if (!value) return Fail(ErrorCode::kMalformed, "missing", fmt::format("{}.{}", path, key));
  return *std::move(value);
}

Result<bool> BoolOr(const bj::object& object, std::string_view key, bool otherwise,
                    std::string_view path) {
  JIKJI_ASSIGN(const auto value, OptionalBool(object, key, path));
  return value.value_or(otherwise);
}

// Calls read(stage, path) on each element of the array `key`, all of them objects.
template <class Read>
Result<> ForEachStage(const bj::object& object, std::string_view key, std::string_view path,
                      Read read) {
  JIKJI_ASSIGN(const bj::array* array, OptionalArray(object, key, path));
  if (array == nullptr) return {};
  if (array->size() > kMaxStages) return Unsupported("more than 64 stages", path);
  for (size_t i = 0; i < array->size(); ++i) {
    const std::string at = fmt::format("{}.{}[{}]", path, key, i);
    if (!(*array)[i].is_object()) return Fail(ErrorCode::kMalformed, "not an object", at);
    JIKJI_RETURN_IF_ERROR(read((*array)[i].get_object(), at));
  }
  return {};
}

// {"String": s} or {"Regex": s}.
struct Pattern {
  std::string text;
  bool regex = false;
};

Result<Pattern> ReadPattern(const bj::object& object, std::string_view path) {
  const std::string at = fmt::format("{}.pattern", path);
  const bj::value* value = object.if_contains("pattern");
  if (value == nullptr) return Fail(ErrorCode::kMalformed, "missing", at);
  if (const bj::string* text = value->if_string()) return Pattern{std::string(*text), false};
  if (!value->is_object()) return Fail(ErrorCode::kMalformed, "not a pattern", at);
  JIKJI_ASSIGN(auto text, OptionalString(value->get_object(), "String", at));
  if (text) return Pattern{*std::move(text), false};
  JIKJI_ASSIGN(auto regex, OptionalString(value->get_object(), "Regex", at));
  if (regex) return Pattern{*std::move(regex), true};
  return Fail(ErrorCode::kMalformed, "neither String nor Regex", at);
}

Result<> AppendNormalizer(const bj::object& stage, std::string_view path, bool nested,
                          std::vector<NormalizerStep>& steps) {
  JIKJI_ASSIGN(const std::string_view type, StageType(stage, path));
  if (type == "Sequence" && !nested) {
    return ForEachStage(stage, "normalizers", path, [&](const bj::object& inner, const auto& at) {
      return AppendNormalizer(inner, at, true, steps);
    });
  }
  if (type == "NFC") {
    steps.emplace_back(NormalForm::kNfc);
  } else if (type == "NFD") {
    steps.emplace_back(NormalForm::kNfd);
  } else if (type == "NFKC") {
    steps.emplace_back(NormalForm::kNfkc);
  } else if (type == "NFKD") {
    steps.emplace_back(NormalForm::kNfkd);
  } else if (type == "Prepend") {
    JIKJI_ASSIGN(auto prefix, RequiredString(stage, "prepend", path));
    steps.emplace_back(PrependStep{std::move(prefix)});
  } else if (type == "Replace") {
    JIKJI_ASSIGN(auto pattern, ReadPattern(stage, path));
    JIKJI_ASSIGN(auto content, RequiredString(stage, "content", path));
    if (pattern.regex) {
      JIKJI_ASSIGN(auto regex, Regex::Compile(pattern.text, path));
      steps.emplace_back(
          ReplaceRegexStep{std::make_shared<const Regex>(std::move(regex)), std::move(content)});
    } else {
      steps.emplace_back(ReplaceStep{std::move(pattern.text), std::move(content)});
    }
  } else if (type == "Lowercase") {
    steps.emplace_back(LowercaseStep{});
  } else if (type == "StripAccents") {
    steps.emplace_back(StripAccentsStep{});
  } else if (type == "Strip") {
    JIKJI_ASSIGN(const bool left, BoolOr(stage, "strip_left", true, path));
    JIKJI_ASSIGN(const bool right, BoolOr(stage, "strip_right", true, path));
    steps.emplace_back(StripStep{left, right});
  } else {
    return Unsupported(fmt::format("the normalizer {} is not supported", type), path);
  }
  return {};
}

Result<SplitBehavior> ReadBehavior(const bj::object& stage, std::string_view path) {
  JIKJI_ASSIGN(const auto name, OptionalString(stage, "behavior", path));
  if (!name || *name == "Isolated") return SplitBehavior::kIsolated;
  if (*name == "Removed") return SplitBehavior::kRemoved;
  if (*name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (*name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (*name == "Contiguous") return SplitBehavior::kContiguous;
  return Fail(ErrorCode::kMalformed, "not a behavior of Split", fmt::format("{}.behavior", path));
}

Result<> ReadSplit(const bj::object& stage, std::string_view path, PreTokenizerStages& out) {
  JIKJI_ASSIGN(auto pattern, ReadPattern(stage, path));
  JIKJI_ASSIGN(const SplitBehavior behavior, ReadBehavior(stage, path));
  JIKJI_ASSIGN(const bool invert, BoolOr(stage, "invert", false, path));
  // A scanner's pieces cover the text, so what is not isolated is simply the other way round.
  const auto rules = pattern.regex ? FindScanner(pattern.text) : std::nullopt;
  const bool isolated =
      behavior == SplitBehavior::kIsolated || (behavior == SplitBehavior::kRemoved && invert);
  if (rules && isolated) {
    out.stages.push_back(MakeScanSplitter(*rules));
  } else if (pattern.regex) {
    JIKJI_ASSIGN(auto regex, Regex::Compile(pattern.text, path));
    out.stages.push_back(MakeRegexSplitter(std::move(regex), behavior, invert));
  } else {
    out.stages.push_back(MakeStringSplitter(std::move(pattern.text), behavior, invert));
  }
  return {};
}

Result<> ReadMetaspace(const bj::object& stage, std::string_view path, PreTokenizerStages& out) {
  JIKJI_ASSIGN(const auto replacement, OptionalString(stage, "replacement", path));
  JIKJI_ASSIGN(const auto scheme, OptionalString(stage, "prepend_scheme", path));
  JIKJI_ASSIGN(const bool legacy_prefix, BoolOr(stage, "add_prefix_space", true, path));
  JIKJI_ASSIGN(const bool split, BoolOr(stage, "split", true, path));
  PrependScheme prepend = legacy_prefix ? PrependScheme::kAlways : PrependScheme::kNever;
  if (scheme) {
    if (*scheme == "always") {
      prepend = PrependScheme::kAlways;
    } else if (*scheme == "first") {
      prepend = PrependScheme::kFirst;
    } else if (*scheme == "never") {
      prepend = PrependScheme::kNever;
    } else {
      return Fail(ErrorCode::kMalformed, "not a prepend scheme",
                  fmt::format("{}.prepend_scheme", path));
    }
  }
  out.stages.push_back(MakeMetaspace(replacement.value_or("\xE2\x96\x81"), prepend, split));
  return {};
}

Result<> AppendPreTokenizer(const bj::object& stage, std::string_view path, bool nested,
                            PreTokenizerStages& out) {
  JIKJI_ASSIGN(const std::string_view type, StageType(stage, path));
  if (type == "Sequence" && !nested) {
    return ForEachStage(stage, "pretokenizers", path, [&](const bj::object& inner, const auto& at) {
      return AppendPreTokenizer(inner, at, true, out);
    });
  }
  if (out.byte_level) return Unsupported("a stage after ByteLevel is not supported", path);
  constexpr std::string_view kAsciiPunctuation = R"(!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~)";
  if (type == "Split") return ReadSplit(stage, path, out);
  if (type == "Metaspace") return ReadMetaspace(stage, path, out);
  if (type == "ByteLevel") {
    JIKJI_ASSIGN(const bool prefix_space, BoolOr(stage, "add_prefix_space", true, path));
    JIKJI_ASSIGN(const bool use_regex, BoolOr(stage, "use_regex", true, path));
    if (prefix_space) out.stages.push_back(MakePrefixSpace());
    if (use_regex) out.stages.push_back(MakeScanSplitter(*FindScanner(kGpt2Pattern)));
    out.byte_level = true;
  } else if (type == "Digits") {
    JIKJI_ASSIGN(const bool individual, BoolOr(stage, "individual_digits", false, path));
    out.stages.push_back(MakeCharSplitter(
        kNumber, "", individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous));
  } else if (type == "Punctuation") {
    JIKJI_ASSIGN(const SplitBehavior behavior, ReadBehavior(stage, path));
    out.stages.push_back(MakeCharSplitter(kPunctuation, std::string(kAsciiPunctuation), behavior));
  } else if (type == "WhitespaceSplit") {
    out.stages.push_back(MakeCharSplitter(kSpace, "", SplitBehavior::kRemoved));
  } else if (type == "Whitespace") {
    // Rust's \w holds the joiners too.
    JIKJI_ASSIGN(auto regex,
                 Regex::Compile(R"([\w\x{200c}\x{200d}]+|[^\w\x{200c}\x{200d}\s]+)", path));
    out.stages.push_back(MakeRegexSplitter(std::move(regex), SplitBehavior::kRemoved, true));
  } else {
    return Unsupported(fmt::format("the pre-tokenizer {} is not supported", type), path);
  }
  return {};
}

Result<> AppendTemplate(const bj::object& stage, std::string_view path, Surrounding& out) {
  JIKJI_ASSIGN(const bj::object* tokens, OptionalObject(stage, "special_tokens", path));
  bool after = false;
  return ForEachStage(
      stage, "single", path, [&](const bj::object& item, const auto& at) -> Result<> {
        if (item.contains("Sequence")) {
          if (after) return Unsupported("a template that repeats the text", at);
          after = true;
          return {};
        }
        JIKJI_ASSIGN(const bj::object* special, OptionalObject(item, "SpecialToken", at));
        if (special == nullptr) return Fail(ErrorCode::kMalformed, "not a template item", at);
        JIKJI_ASSIGN(const std::string id, RequiredString(*special, "id", at));
        const bj::object* entry = nullptr;
        if (tokens != nullptr) {
          JIKJI_ASSIGN(entry, OptionalObject(*tokens, id, fmt::format("{}.special_tokens", path)));
        }
        if (entry == nullptr) {
          return Fail(ErrorCode::kMalformed, fmt::format("`{}` is not among special_tokens", id),
                      at);
        }
        JIKJI_ASSIGN(const bj::array* ids, OptionalArray(*entry, "ids", path));
        for (size_t i = 0; ids != nullptr && i < ids->size(); ++i) {
          const bj::value& value = (*ids)[i];
          if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > INT32_MAX) {
            return Fail(ErrorCode::kMalformed, "not a token id", at);
          }
          (after ? out.suffix : out.prefix).push_back(static_cast<TokenId>(value.get_int64()));
        }
        return {};
      });
}

// ["</s>", 2]
Result<TokenId> ReadTokenPair(const bj::object& stage, std::string_view key,
                              std::string_view path) {
  JIKJI_ASSIGN(const bj::array* pair, OptionalArray(stage, key, path));
  if (pair == nullptr || pair->size() != 2 || !(*pair)[1].is_int64() ||
      (*pair)[1].get_int64() < 0 || (*pair)[1].get_int64() > INT32_MAX) {
    return Fail(ErrorCode::kMalformed, "not a token and its id", fmt::format("{}.{}", path, key));
  }
  return static_cast<TokenId>((*pair)[1].get_int64());
}

Result<> AppendPostProcessor(const bj::object& stage, std::string_view path, bool nested,
                             Surrounding& out) {
  JIKJI_ASSIGN(const std::string_view type, StageType(stage, path));
  if (type == "Sequence" && !nested) {
    return ForEachStage(stage, "processors", path, [&](const bj::object& inner, const auto& at) {
      return AppendPostProcessor(inner, at, true, out);
    });
  }
  if (type == "ByteLevel") return {};  // offsets only
  if (type == "TemplateProcessing") return AppendTemplate(stage, path, out);
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    JIKJI_ASSIGN(const TokenId cls, ReadTokenPair(stage, "cls", path));
    JIKJI_ASSIGN(const TokenId sep, ReadTokenPair(stage, "sep", path));
    out.prefix.push_back(cls);
    out.suffix.push_back(sep);
    return {};
  }
  return Unsupported(fmt::format("the post-processor {} is not supported", type), path);
}

Result<> AppendDecoder(const bj::object& stage, std::string_view path, bool nested, bool& fused,
                       TokenDecoder& out) {
  JIKJI_ASSIGN(const std::string_view type, StageType(stage, path));
  if (type == "Sequence" && !nested) {
    return ForEachStage(stage, "decoders", path, [&](const bj::object& inner, const auto& at) {
      return AppendDecoder(inner, at, true, fused, out);
    });
  }
  if (type == "ByteLevel") {
    out.byte_level = true;
  } else if (type == "ByteFallback") {
    out.byte_fallback = true;
  } else if (type == "Fuse") {
    fused = true;
  } else if (type == "Replace") {
    JIKJI_ASSIGN(auto pattern, ReadPattern(stage, path));
    JIKJI_ASSIGN(auto content, RequiredString(stage, "content", path));
    if (pattern.regex || fused) {
      return Unsupported("a decoder that replaces a pattern or after Fuse is not supported", path);
    }
    out.replacements.push_back({std::move(pattern.text), std::move(content)});
  } else if (type == "Metaspace") {
    JIKJI_ASSIGN(const auto replacement, OptionalString(stage, "replacement", path));
    JIKJI_ASSIGN(const auto scheme, OptionalString(stage, "prepend_scheme", path));
    JIKJI_ASSIGN(const bool legacy_prefix, BoolOr(stage, "add_prefix_space", true, path));
    out.replacements.push_back({replacement.value_or("\xE2\x96\x81"), " "});
    out.strips_leading_space = scheme ? *scheme != "never" : legacy_prefix;
  } else if (type == "Strip") {
    JIKJI_ASSIGN(const std::string content, RequiredString(stage, "content", path));
    JIKJI_ASSIGN(const auto start, OptionalInt(stage, "start", path));
    JIKJI_ASSIGN(const auto stop, OptionalInt(stage, "stop", path));
    if (content != " " || start.value_or(0) > 1 || stop.value_or(0) != 0 || !fused) {
      return Unsupported("a decoder that strips other than one space at the start", path);
    }
    out.strips_leading_space = start.value_or(0) == 1;
  } else {
    return Unsupported(fmt::format("the decoder {} is not supported", type), path);
  }
  return {};
}

}  // namespace

Result<std::string_view> StageType(const bj::object& stage, std::string_view path) {
  const bj::value* type = stage.if_contains("type");
  if (type == nullptr || !type->is_string()) {
    return Fail(ErrorCode::kMalformed, "missing or not a string", fmt::format("{}.type", path));
  }
  return std::string_view(type->get_string());
}

Result<std::vector<NormalizerStep>> ReadNormalizer(const bj::object& normalizer,
                                                   std::string_view path) {
  std::vector<NormalizerStep> steps;
  JIKJI_RETURN_IF_ERROR(AppendNormalizer(normalizer, path, false, steps));
  return steps;
}

Result<PreTokenizerStages> ReadPreTokenizer(const bj::object& pre_tokenizer,
                                            std::string_view path) {
  PreTokenizerStages out;
  JIKJI_RETURN_IF_ERROR(AppendPreTokenizer(pre_tokenizer, path, false, out));
  return out;
}

Result<Surrounding> ReadPostProcessor(const bj::object& post_processor, std::string_view path) {
  Surrounding out;
  JIKJI_RETURN_IF_ERROR(AppendPostProcessor(post_processor, path, false, out));
  return out;
}

Result<TokenDecoder> ReadDecoder(const bj::object& decoder, std::string_view path) {
  TokenDecoder out;
  bool fused = false;
  JIKJI_RETURN_IF_ERROR(AppendDecoder(decoder, path, false, fused, out));
  return out;
}

std::string TokenDecoder::Decode(std::string_view written) const {
  if (byte_level) return DecodeByteLevel(written).value_or(std::string(written));
  if (byte_fallback) {
    if (const int byte = ParseByteToken(written); byte >= 0) {
      return std::string(1, static_cast<char>(byte));
    }
  }
  std::vector<NormalizerStep> steps(replacements.begin(), replacements.end());
  return ApplyNormalizer(steps, written);
}

}  // namespace jikji
