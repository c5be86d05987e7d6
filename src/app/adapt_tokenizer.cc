// `jikji adapt tokenizer`: train one, extend one, tell how many tokens a text becomes.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>

#include "adapt/tokenizer/extend_model.h"
#include "adapt/tokenizer/train_tokenizer.h"
#include "adapt/weights/model_folder.h"
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/console.h"
#include "base/file.h"
#include "base/line_reader.h"
#include "base/thread_pool.h"
#include "base/utf8.h"
#include "tensor/checkpoint.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

ThreadPool MakePool(int64_t threads) {
  return ThreadPool(threads == 0 ? UsableCores() : static_cast<size_t>(threads));
}

std::vector<fs::path> Paths(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

// What both ways of learning read.
struct TextSettings {
  std::vector<std::string> text;
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    settings.Add("text", &text,
                 {"A text file, plain or .zst; again for each",
                  "텍스트 파일(.zst 가능). 여러 번 줄 수 있습니다"});
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }

  Result<WordCounts> Read(const ScanRules& rules, ThreadPool& pool) const {
    if (text.empty()) {
      return Fail(ErrorCode::kInvalidArgument, std::string(Say("there is no text: --text FILE",
                                                               "텍스트가 없습니다: --text 파일")));
    }
    Progress progress(std::string(Say("reading", "읽기")));
    JIKJI_ASSIGN(WordCounts counts, WordCounts::Read(Paths(text), rules, pool,
                                                     [&](double share) { progress.Show(share); }));
    const CorpusCounts& corpus = counts.corpus();
    fmt::print(fmt::runtime(Say("read {:.1f} MB, {} lines, {} different pieces\n",
                                "{:.1f} MB, {}줄, 서로 다른 조각 {}개를 읽었습니다\n")),
               static_cast<double>(corpus.bytes) / 1e6, corpus.lines, counts.words().size());
    if (corpus.bad_lines > 0) {
      fmt::print(fmt::runtime(Say("left out {} lines that are not UTF-8\n",
                                  "UTF-8이 아닌 {}줄을 뺐습니다\n")),
                 corpus.bad_lines);
    }
    return counts;
  }
};

void PrintFewer(int64_t tokens, int64_t wanted) {
  if (tokens >= wanted) return;
  fmt::print(fmt::runtime(Say("fewer than the {} asked for: the text has no more that comes often "
                              "enough; give more of it\n",
                              "요청한 {}개보다 적습니다. 텍스트에 충분히 자주 나오는 것이 더 "
                              "없습니다. 텍스트를 더 주세요\n")),
             wanted);
}

std::string_view PatternNamed(const std::string& name) {
  if (name == "gpt2") return kGpt2Pattern;
  if (name == "qwen2") return kQwen2Pattern;
  if (name == "o200k") return kO200kPattern;
  return kCl100kPattern;
}

struct TrainOptions {
  std::string out;
  TextSettings text;
  int64_t vocabulary = 16384;
  std::string pattern = "cl100k";
  std::vector<std::string> special = {"<|begin_of_text|>", "<|end_of_text|>"};
  std::string bos = "<|begin_of_text|>", eos = "<|end_of_text|>";

  void AddTo(Settings& settings) {
    settings.AddPositional("OUT", &out, {"The new folder", "새 폴더"});
    text.AddTo(settings);
    settings.Add(
        "vocab", &vocabulary,
        {"Tokens, special ones and bytes among them", "특수 토큰과 바이트를 포함한 토큰 수"}, 256,
        1 << 20);
    settings.AddChoice("pattern", &pattern,
                       {"How text is cut before: cl100k is Llama 3's",
                        "먼저 텍스트를 나누는 방식. cl100k는 Llama 3의 방식"},
                       {"cl100k", "qwen2", "o200k", "gpt2"});
    settings.Add("special", &special,
                 {"A special token; again for each", "특수 토큰. 여러 번 가능"});
    settings.Add("bos", &bos,
                 {"The special token that begins a text", "글의 시작을 나타내는 토큰"});
    settings.Add("eos", &eos, {"The special token that ends a text", "글의 끝을 나타내는 토큰"});
  }
};

Result<> Train(TrainOptions& options) {
  if (options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji adapt tokenizer train OUT --text FILE",
                                "사용법: jikji adapt tokenizer train 새폴더 --text 파일")));
  }
  for (const std::string& name : {options.bos, options.eos}) {
    if (!name.empty() && std::ranges::find(options.special, name) == options.special.end()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("`{}` is not among the special tokens", name));
    }
  }
  ThreadPool pool = MakePool(options.text.threads);
  JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(options.out));
  const std::string_view pattern = PatternNamed(options.pattern);
  JIKJI_ASSIGN(const WordCounts counts, options.text.Read(*FindScanner(pattern), pool));
  Progress progress(std::string(Say("learning", "학습")));
  JIKJI_ASSIGN(const TrainedTokenizer made,
               TrainTokenizer(counts, pattern, options.special, options.vocabulary,
                              [&](double share) { progress.Show(share); }));
  json::object config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                         {"clean_up_tokenization_spaces", false}};
  if (!options.bos.empty()) config["bos_token"] = options.bos;
  if (!options.eos.empty()) config["eos_token"] = options.eos;
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("tokenizer.json", made.root));
  JIKJI_RETURN_IF_ERROR(folder.WriteJson("tokenizer_config.json", config));
  JIKJI_RETURN_IF_ERROR(folder.Finish());
  fmt::print(fmt::runtime(Say("{}: {} tokens\n", "{}: 토큰 {}개\n")), options.out, made.tokens);
  PrintFewer(made.tokens, options.vocabulary);
  return {};
}

struct ExtendOptions {
  std::string in, out;
  TextSettings text;
  int64_t add = 16384;

  void AddTo(Settings& settings) {
    settings.AddPositional(
        "IN", &in, {"A model's folder, or a tokenizer's", "모델 폴더 또는 토크나이저 폴더"});
    settings.AddPositional("OUT", &out, {"The new folder", "새 폴더"});
    text.AddTo(settings);
    settings.Add("add", &add, {"Tokens to add", "더할 토큰 수"}, 1, 1 << 19);
  }
};

Result<> Extend(ExtendOptions& options) {
  if (options.in.empty() || options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji adapt tokenizer extend IN OUT --text FILE",
                                "사용법: jikji adapt tokenizer extend 원본 새폴더 --text 파일")));
  }
  ThreadPool pool = MakePool(options.text.threads);
  JIKJI_ASSIGN(const TokenizerFile base, TokenizerFile::Open(options.in));
  JIKJI_ASSIGN(const WordCounts counts, options.text.Read(base.rules, pool));
  ExtendedTokenizer made;
  {
    Progress progress(std::string(Say("learning", "학습")));
    JIKJI_ASSIGN(made, ExtendTokenizer(base, counts, options.add,
                                       [&](double share) { progress.Show(share); }));
  }
  std::error_code ignored;
  const bool has_model = fs::exists(fs::path(options.in) / "config.json", ignored) &&
                         Checkpoint::Open(options.in).has_value();
  if (has_model) {
    Progress progress(std::string(Say("writing", "쓰기")));
    JIKJI_RETURN_IF_ERROR(ExtendModel(options.in, options.out, made, pool,
                                      [&](double share) { progress.Show(share); }));
  } else {
    JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(options.out));
    JIKJI_RETURN_IF_ERROR(folder.WriteJson("tokenizer.json", made.root));
    JIKJI_RETURN_IF_ERROR(folder.CopyFrom(options.in, "tokenizer_config.json"));
    JIKJI_RETURN_IF_ERROR(folder.Finish());
  }
  fmt::print(fmt::runtime(Say("{}: {} tokens added, from id {}{}\n",
                              "{}: 토큰 {}개를 id {}부터 더했습니다{}\n")),
             options.out, made.parts.size(), made.first,
             has_model ? Say("; their rows are means of the old tokens' rows",
                             ". 새 행은 예전 토큰 행들의 평균입니다")
                       : std::string_view());
  PrintFewer(static_cast<int64_t>(made.parts.size()), options.add);
  return {};
}

struct ReportOptions {
  std::string first, second;
  TextSettings text;
  bool json = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("TOKENIZER", &first, {"A folder", "폴더"});
    settings.AddPositional("OTHER", &second,
                           {"Another, to compare with the first", "첫째와 비교할 다른 폴더"});
    text.AddTo(settings);
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
  }
};

struct Fertility {
  int64_t characters = 0, tokens = 0;
  double per_token() const {
    return tokens == 0 ? 0 : static_cast<double>(characters) / static_cast<double>(tokens);
  }
};

Result<Fertility> Measure(const Tokenizer& tokenizer, const fs::path& file) {
  JIKJI_ASSIGN(LineReader reader, LineReader::Open(file));
  Fertility out;
  while (true) {
    JIKJI_ASSIGN(const auto line, reader.Next());
    if (!line) return out;
    if (!IsValidUtf8(*line)) {
      return Fail(ErrorCode::kMalformed, "is not UTF-8",
                  fmt::format("{}:{}", file.string(), reader.line()));
    }
    const std::string text = std::string(*line) + '\n';
    out.characters += std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
    out.tokens += static_cast<int64_t>(tokenizer.Encode(text).size());
  }
}

Result<> Report(ReportOptions& options) {
  if (options.first.empty() || options.text.text.empty()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        std::string(Say("usage: jikji adapt tokenizer report TOKENIZER [OTHER] --text FILE",
                        "사용법: jikji adapt tokenizer report 폴더 [다른폴더] --text 파일")));
  }
  std::vector<std::string> names = {options.first};
  if (!options.second.empty()) names.push_back(options.second);
  std::vector<TokenizerFile> files;
  for (const std::string& name : names) {
    JIKJI_ASSIGN(TokenizerFile file, TokenizerFile::Open(name));
    files.push_back(std::move(file));
  }
  json::array rows;
  for (const std::string& text : options.text.text) {
    std::vector<Fertility> measured;
    for (size_t i = 0; i < files.size(); ++i) {
      JIKJI_ASSIGN(const Fertility fertility, Measure(*files[i].tokenizer, text));
      measured.push_back(fertility);
      rows.push_back(json::object{{"text", text},
                                  {"tokenizer", names[i]},
                                  {"characters", fertility.characters},
                                  {"tokens", fertility.tokens},
                                  {"characters_per_token", fertility.per_token()}});
      if (options.json) continue;
      fmt::print(fmt::runtime(Say("{}: {}: {} characters, {} tokens, {:.3f} characters a token",
                                  "{}: {}: {}자, {}토큰, 토큰당 {:.3f}자")),
                 text, names[i], fertility.characters, fertility.tokens, fertility.per_token());
      if (i == 1 && measured[0].tokens > 0) {
        fmt::print(fmt::runtime(Say(", {:+.1f} % tokens", ", 토큰 {:+.1f} %")),
                   100.0 * (static_cast<double>(measured[1].tokens) /
                                static_cast<double>(measured[0].tokens) -
                            1));
      }
      fmt::print("\n");
    }
  }
  if (options.json) fmt::print("{}\n", json::serialize(rows));
  return {};
}

}  // namespace

void AddAdaptTokenizerCommands(CommandGroup& adapt) {
  CommandGroup tokenizer =
      adapt.AddGroup("tokenizer", Say("Train a tokenizer, extend one, compare two",
                                      "토크나이저를 학습하고, 확장하고, 비교합니다"));
  tokenizer.Add("train", Say("Train a byte-level BPE tokenizer", "바이트 단위 BPE를 학습합니다"),
                &Train);
  tokenizer.Add("extend",
                Say("Add Korean tokens to a tokenizer, and their rows to its model",
                    "토크나이저에 한국어 토큰을, 모델에 그 행을 더합니다"),
                &Extend);
  tokenizer.Add("report",
                Say("Tell how many tokens a text becomes", "글이 몇 토큰이 되는지 보여 줍니다"),
                &Report);
}

}  // namespace jikji
