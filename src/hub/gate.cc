#include "hub/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/json.h"
#include "base/utf8.h"
#include "hub/card.h"
#include "hub/names.h"
#include "tensor/gguf.h"
#include "tensor/safetensors.h"
#include "tensor/shard_index.h"
#include "text/chat_template.h"

namespace jikji::hub {
namespace {

constexpr size_t kMaxJson = 256u << 20;  // tokenizer.json of the largest vocabularies has 35 MB

struct NamedKind {
  std::string_view extension;
  FileKind kind;
};
constexpr std::array kKinds = {
    NamedKind{"safetensors", FileKind::kWeights},
    NamedKind{"gguf", FileKind::kWeights},
    NamedKind{"json", FileKind::kJson},
    NamedKind{"jinja", FileKind::kTemplate},
    NamedKind{"md", FileKind::kText},
    NamedKind{"txt", FileKind::kText},
    NamedKind{"jsonl", FileKind::kText},
    NamedKind{"csv", FileKind::kText},
    NamedKind{"tsv", FileKind::kText},
    NamedKind{"yaml", FileKind::kText},
    NamedKind{"yml", FileKind::kText},
    NamedKind{"toml", FileKind::kText},
    NamedKind{"tiktoken", FileKind::kText},
    NamedKind{"sig", FileKind::kText},
    NamedKind{"pem", FileKind::kText},
    NamedKind{"svg", FileKind::kText},
    NamedKind{"py", FileKind::kCode},
    NamedKind{"sh", FileKind::kCode},
    NamedKind{"ipynb", FileKind::kCode},
    NamedKind{"cc", FileKind::kCode},
    NamedKind{"cpp", FileKind::kCode},
    NamedKind{"h", FileKind::kCode},
    NamedKind{"cu", FileKind::kCode},
    NamedKind{"js", FileKind::kCode},
    NamedKind{"rs", FileKind::kCode},
    NamedKind{"png", FileKind::kImage},
    NamedKind{"jpg", FileKind::kImage},
    NamedKind{"jpeg", FileKind::kImage},
    NamedKind{"gif", FileKind::kImage},
    NamedKind{"webp", FileKind::kImage},
    NamedKind{"model", FileKind::kData},
    NamedKind{"bin", FileKind::kData},
    NamedKind{"parquet", FileKind::kData},
    NamedKind{"onnx", FileKind::kData},
    NamedKind{"pdf", FileKind::kData},
};
// Names without an extension that stand for texts.
// The last three are what Ollama takes from beside a GGUF file.
constexpr std::array<std::string_view, 11> kPlainNames = {
    "LICENSE",    "LICENCE", "NOTICE", "README",   ".gitattributes", ".gitignore",
    "MODEL_CARD", "USAGE",   "system", "template", "params"};
constexpr std::array<std::string_view, 12> kPickleExtensions = {
    "pkl", "pickle", "pt", "pth", "ckpt", "joblib", "dill", "npy", "npz", "h5", "keras", "mar"};

// What begins like this is refused whatever it is called.
struct Magic {
  std::string_view bytes;
  const char* english;
  const char* korean;
};
constexpr std::array kMagics = {
    Magic{{"PK\3\4", 4},
          "a zip archive (PyTorch's pickles are kept in one)",
          "zip 압축 파일(PyTorch 피클이 담기는 형식)"},
    Magic{{"7z\xBC\xAF\x27\x1C", 6},
          "a 7z archive, which hides pickles from scanners",
          "7z 압축 파일(피클을 검사기에서 숨김)"},
    Magic{{"\x1F\x8B", 2}, "a gzip archive", "gzip 압축 파일"},
    Magic{{"BZh", 3}, "a bzip2 archive", "bzip2 압축 파일"},
    Magic{{"\xFD"
           "7zXZ",
           5},
          "an xz archive",
          "xz 압축 파일"},
    Magic{{"\x28\xB5\x2F\xFD", 4}, "a zstd archive", "zstd 압축 파일"},
    Magic{{"Rar!", 4}, "a rar archive", "rar 압축 파일"},
    Magic{{"\x7F"
           "ELF",
           4},
          "a program (ELF)",
          "실행 파일(ELF)"},
    Magic{{"MZ", 2}, "a program (PE)", "실행 파일(PE)"},
    Magic{{"\xCF\xFA\xED\xFE", 4}, "a program (Mach-O)", "실행 파일(Mach-O)"},
    Magic{{"\x93NUMPY", 6},
          "a NumPy array file, which may hold pickles",
          "NumPy 배열 파일(피클이 담길 수 있음)"},
    Magic{{"\x89HDF", 4},
          "an HDF5 file, which Keras runs code from",
          "HDF5 파일(Keras가 코드를 실행할 수 있음)"},
};

std::string_view NameOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string ExtensionOf(std::string_view path) {
  const std::string_view name = NameOf(path);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? "" : Folded(name.substr(dot + 1));
}

Refusal Of(std::string_view path, std::string_view english, std::string_view korean) {
  return {fmt::format("`{}` is refused: {}", path, english),
          fmt::format("`{}`을(를) 받지 않습니다: {}", path, korean)};
}

// Protocol 2 and later say so in two bytes; 0 and 1 begin with an opcode that imports or marks.
bool IsPickle(std::string_view first) {
  if (first.size() >= 2 && first[0] == '\x80' && first[1] >= 2 && first[1] <= 5) return true;
  if (!first.starts_with('c') && !first.starts_with('(')) return false;
  const size_t line = first.find('\n');
  return line != std::string_view::npos && line > 1 && line < 64 &&
         (first.starts_with("c__builtin__\n") || first.starts_with("cbuiltins\n") ||
          first.starts_with("cos\n") || first.starts_with("cposix\n") ||
          first.starts_with("csubprocess\n") || first.starts_with("(dp") ||
          first.starts_with("(lp") || first.starts_with("(c"));
}

// A safetensors file begins with the length of its header: some lengths are a pickle's two bytes
// and then zeros. The strict reader sees the rest of it.
bool IsHeaderLength(std::string_view path, std::string_view first) {
  return ExtensionOf(path) == "safetensors" && first.size() >= 8 &&
         first.substr(3, 5) == std::string_view("\0\0\0\0\0", 5);
}

std::optional<Refusal> CheckFirstBytes(std::string_view path, std::string_view first) {
  if (IsPickle(first) && !IsHeaderLength(path, first)) {
    return Of(path, "a pickle runs code when it is read; convert it to safetensors",
              "피클은 읽을 때 코드를 실행합니다. safetensors로 변환하세요");
  }
  for (const Magic& magic : kMagics) {
    if (first.starts_with(magic.bytes)) return Of(path, magic.english, magic.korean);
  }
  if (first.size() >= 262 && first.substr(257, 5) == "ustar") {
    return Of(path, "a tar archive", "tar 압축 파일");
  }
  return {};
}

std::optional<Refusal> CheckTemplate(std::string_view path, std::string_view source) {
  const auto compiled = ChatTemplate::Compile(source);
  if (compiled || compiled.error().code == ErrorCode::kUnsupported) return {};
  return Of(path, "its chat template does not parse: " + compiled.error().ToString(),
            "채팅 템플릿을 해석할 수 없습니다");
}

std::optional<Refusal> CheckTemplatesIn(std::string_view path, const boost::json::value* value) {
  if (value == nullptr) return {};
  if (value->is_string()) return CheckTemplate(path, value->as_string());
  if (!value->is_array()) return {};
  for (const boost::json::value& item : value->as_array()) {
    const boost::json::value* text =
        item.is_object() ? item.as_object().if_contains("template") : nullptr;
    if (text == nullptr || !text->is_string()) continue;
    if (auto refused = CheckTemplate(path, text->as_string())) return refused;
  }
  return {};
}

std::optional<Refusal> CheckJson(std::string_view path, std::string_view text) {
  const auto parsed = ParseJson(text, path, {.max_depth = 128, .max_bytes = kMaxJson});
  if (!parsed) return Of(path, parsed.error().ToString(), "올바른 JSON이 아닙니다");
  if (NameOf(path).ends_with(".safetensors.index.json")) {
    const auto index = ParseShardIndex(text, path);
    if (!index) return Of(path, index.error().ToString(), "조각 목록이 올바르지 않습니다");
  }
  if (!parsed->is_object()) return {};
  return CheckTemplatesIn(path, parsed->as_object().if_contains("chat_template"));
}

std::optional<Refusal> CheckWeights(std::string_view path, std::span<const std::byte> bytes) {
  if (ExtensionOf(path) == "safetensors") {
    const auto parsed = ParseSafetensors(bytes, path);
    // The layout is checked before the types: those that Jikji does not run are good files.
    if (parsed || parsed.error().code == ErrorCode::kUnsupported) return {};
    return Of(path, parsed.error().ToString(), "safetensors 형식에 맞지 않습니다");
  }
  const auto parsed = ParseGguf(bytes, path);
  if (!parsed) {
    return Of(path, parsed.error().ToString(),
              parsed.error().code == ErrorCode::kUnsupported ? "검사할 수 없는 GGUF입니다"
                                                             : "GGUF 형식에 맞지 않습니다");
  }
  const auto source = parsed->metadata.String("tokenizer.chat_template");
  if (!source) return Of(path, source.error().ToString(), "채팅 템플릿이 텍스트가 아닙니다");
  if (*source) return CheckTemplate(path, **source);
  return {};
}

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<FileKind> KindOfFile(std::string_view path) {
  const std::string_view name = NameOf(path);
  if (path == "README.md") return FileKind::kCard;
  if (std::ranges::find(kPlainNames, name) != kPlainNames.end()) return FileKind::kText;
  const std::string extension = ExtensionOf(path);
  for (const NamedKind& kind : kKinds) {
    if (kind.extension == extension) return kind.kind;
  }
  return {};
}

bool IsCode(std::string_view path) { return KindOfFile(path) == FileKind::kCode; }

bool AsksForCode(std::string_view path, std::string_view content) {
  if (KindOfFile(path) != FileKind::kJson) return false;
  const auto parsed = ParseJson(content);
  return parsed && parsed->is_object() && parsed->as_object().contains("auto_map");
}

std::optional<Refusal> CheckBeforeUpload(std::string_view path, uint64_t size,
                                         std::string_view first_bytes) {
  if (const auto named = CheckFilePath(path); !named) {
    return Of(path, named.error().message, "쓸 수 없는 경로입니다");
  }
  const std::string extension = ExtensionOf(path);
  if (std::ranges::find(kPickleExtensions, extension) != kPickleExtensions.end()) {
    return Of(path,
              "`." + extension +
                  "` files may run code when they are read; convert weights to "
                  "safetensors or GGUF",
              "`." + extension +
                  "` 파일은 읽을 때 코드를 실행할 수 있습니다. safetensors나 GGUF로 "
                  "변환하세요");
  }
  if (!KindOfFile(path)) {
    return Of(path, "files of this kind are not on the list of what a hub takes (docs/hub.md)",
              "허브가 받는 파일 종류가 아닙니다(docs/hub.ko.md)");
  }
  if (size > kMaxFileBytes) {
    return Of(
        path,
        "over 50 GB: clients without Xet do not download such files; write the weights in "
        "shards",
        "50 GB를 넘습니다. Xet 없는 클라이언트가 내려받지 못하니 가중치를 여러 조각으로 나누세요");
  }
  return CheckFirstBytes(path, first_bytes);
}

std::optional<Refusal> CheckContent(std::string_view path, std::span<const std::byte> bytes) {
  const std::string_view text = TextOf(bytes);
  if (auto refused = CheckBeforeUpload(path, bytes.size(), text.substr(0, 512))) return refused;
  const FileKind kind = *KindOfFile(path);
  if (kind == FileKind::kWeights) return CheckWeights(path, bytes);
  if (kind == FileKind::kImage || kind == FileKind::kData) return {};
  if (!IsValidUtf8(text) || text.find('\0') != std::string_view::npos) {
    return Of(path, "it is called a text and is not UTF-8", "텍스트 파일인데 UTF-8이 아닙니다");
  }
  if (kind == FileKind::kJson) return CheckJson(path, text);
  if (kind == FileKind::kTemplate) return CheckTemplate(path, text);
  if (kind == FileKind::kCard) {
    const CardReport report = CheckCard(text);
    if (!report.errors.empty()) {
      return Of(path, report.errors.front().english, report.errors.front().korean);
    }
  }
  return {};
}

}  // namespace jikji::hub
