// The door, and each class of attack that a hub must know (docs/design/hub.md names the
// advisories).
#include "hub/gate.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "hub/card.h"
#include "tensor/file_layout.h"

namespace jikji::hub {
namespace {

std::optional<Refusal> Check(std::string_view path, std::string_view bytes) {
  return CheckContent(path, std::as_bytes(std::span(bytes)));
}

std::string Safetensors(std::string header, std::string_view data) {
  std::string out(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(out.data(), &size, 8);
  return out + header + std::string(data);
}

// A GGUF file piece by piece, right or wrong.
class Gguf {
 public:
  Gguf(uint64_t tensors, uint64_t values) {
    bytes_ = "GGUF";
    Put<uint32_t>(3);
    Put<uint64_t>(tensors);
    Put<uint64_t>(values);
  }
  template <class T>
  Gguf& Put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Gguf& Text(std::string_view text) {
    Put<uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  Gguf& Key(std::string_view key, uint32_t type) { return Text(key).Put<uint32_t>(type); }
  Gguf& StringValue(std::string_view key, std::string_view text) { return Key(key, 8).Text(text); }
  Gguf& Strings(std::string_view key, const std::vector<std::string>& items) {
    Key(key, 9).Put<uint32_t>(8).Put<uint64_t>(items.size());
    for (const std::string& item : items) Text(item);
    return *this;
  }
  Gguf& Tensor(std::string_view name, const std::vector<uint64_t>& dimensions, uint32_t type,
               uint64_t offset) {
    Text(name).Put<uint32_t>(static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) Put<uint64_t>(dimension);
    return Put<uint32_t>(type).Put<uint64_t>(offset);
  }
  std::string Data(size_t size) {
    bytes_.resize((bytes_.size() + 31) / 32 * 32);
    return bytes_ + std::string(size, '\0');
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

TEST(Gate, GoodFilesComeIn) {
  EXPECT_FALSE(
      Check("model.safetensors",
            Safetensors(R"({"w":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", "abcd")));
  EXPECT_FALSE(Check("m.gguf", Gguf(1, 0).Tensor("w", {8}, 0, 0).Data(32)));
  EXPECT_FALSE(Check("config.json", R"({"model_type":"llama"})"));
  EXPECT_FALSE(Check("한글/설명.txt", "안녕하세요"));
  EXPECT_FALSE(Check("LICENSE", "Apache"));
  EXPECT_FALSE(Check("modeling_x.py", "import os"));  // marked, never run
  EXPECT_TRUE(IsCode("modeling_x.py"));
  EXPECT_TRUE(AsksForCode("config.json", R"({"auto_map":{"AutoModel":"modeling_x.X"}})"));
  EXPECT_FALSE(AsksForCode("config.json", R"({"model_type":"llama"})"));
}

TEST(Gate, RefusalsSpeakBothLanguages) {
  const auto refused = Check("weights.pt", "x");
  ASSERT_TRUE(refused.has_value());
  EXPECT_NE(refused->english.find("weights.pt"), std::string::npos);
  EXPECT_NE(refused->korean.find("변환하세요"), std::string::npos);
}

// A header of 640 bytes, and others, begins like a pickle.
TEST(Gate, NoLengthOfAHeaderIsTakenForAPickle) {
  for (const size_t length : {640, 896, 1152, 1408, 384}) {
    std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    header.resize(length, ' ');
    std::string file(8, '\0');
    file[0] = static_cast<char>(length);
    file[1] = static_cast<char>(length >> 8);
    EXPECT_FALSE(Check("model.safetensors", file + header + "abcd")) << length;
    EXPECT_TRUE(Check("tokenizer.model", "\x80\x02}q")) << length;
  }
  EXPECT_TRUE(Check("model.safetensors", "\x80\x02}q\1X\3abc."));
}

TEST(Gate, KindsThatAreNotOnTheListStayOut) {
  for (const char* path : {"a.exe", "a.dll", "a.so", "a.svgz", "a.html", "noextension", "a.tar",
                           "a.pkl", "a.PT", "a.pth", "a.ckpt", "a.npz", "a.h5", "a.joblib"}) {
    EXPECT_TRUE(Check(path, "text")) << path;
  }
}

TEST(Gate, PathTraversalAndSymlinkNames) {
  for (const char* path : {"../config.json", "/etc/config.json", "a/../../config.json",
                           ".git/config.json", "a\\config.json", "a//config.json"}) {
    EXPECT_TRUE(Check(path, "{}")) << path;
  }
}

TEST(Gate, Over50GigabytesIsRefusedBeforeItIsSent) {
  EXPECT_FALSE(CheckBeforeUpload("m.safetensors", kMaxFileBytes, ""));
  const auto refused = CheckBeforeUpload("m.safetensors", 60'000'000'000, "");
  ASSERT_TRUE(refused.has_value());
  EXPECT_NE(refused->english.find("50 GB"), std::string::npos);
}

// CVE-2025-32434: reading such a file runs code even with weights_only.
TEST(GatePickle, Cve202532434PickleUnderAnyName) {
  for (const char* name : {"pytorch_model.bin", "tokenizer.model", "notes.txt", "a.json"}) {
    EXPECT_TRUE(Check(name, std::string("\x80\x02}q\0.", 6))) << name;
    EXPECT_TRUE(Check(name, "cos\nsystem\n(S'id'\ntR.")) << name;
    EXPECT_TRUE(Check(name, "c__builtin__\neval\n(S'1'\ntR.")) << name;
  }
}

TEST(GatePickle, PyTorchZip) {
  EXPECT_TRUE(Check("pytorch_model.bin", std::string("PK\3\4rest", 8)));
}

// Code of a repository comes in, marked; what asks a client to run it is known.
TEST(GateCode, AutoMapIsMarkedAndNothingRuns) {
  const char* config = R"({"auto_map":{"AutoModel":"modeling_x.X"}})";
  EXPECT_FALSE(Check("config.json", config));
  EXPECT_TRUE(AsksForCode("config.json", config));
  for (const char* path : {"modeling_x.py", "setup.sh", "a.ipynb", "kernel.cu"}) {
    EXPECT_FALSE(Check(path, "import os")) << path;
    EXPECT_TRUE(IsCode(path)) << path;
  }
}

// A zip bomb is refused by its first bytes: nothing here unpacks anything.
TEST(GatePickle, ZipBombIsNeverUnpacked) {
  const std::string bomb = std::string("PK\3\4", 4) + std::string(1 << 20, 'x');
  for (const char* path : {"pytorch_model.bin", "notes.txt", "data.parquet", "model.onnx"}) {
    EXPECT_TRUE(Check(path, bomb)) << path;
    EXPECT_TRUE(CheckBeforeUpload(path, 60'000'000, bomb.substr(0, 512))) << path;
  }
}

// nullifAI: a 7z container, which scanners for zip pass over.
TEST(GatePickle, NullifAiSevenZip) {
  EXPECT_TRUE(Check("pytorch_model.bin", std::string("7z\xBC\xAF\x27\x1C\0\4", 8)));
}

TEST(GatePickle, ArchivesAndPrograms) {
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  for (const std::string& bytes :
       {std::string("\x1F\x8B\x08"), std::string("BZh9"), std::string("\x28\xB5\x2F\xFD"),
        std::string("\x7F") + "ELF", std::string("MZ\x90"), std::string("\x93NUMPY"), tar}) {
    EXPECT_TRUE(Check("data.bin", bytes));
  }
}

// CVE-2024-34359, CVE-2026-5760: templates that reach into the program that renders them. They are
// parsed here and never rendered; what is no template of a model does not parse.
TEST(GateTemplate, Cve202434359Ssti) {
  EXPECT_FALSE(Check("chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}"));
  EXPECT_TRUE(Check("chat_template.jinja", "{% for m in %}"));
  EXPECT_TRUE(Check("tokenizer_config.json", R"({"chat_template":"{{ x "})"));
  EXPECT_TRUE(Check("tokenizer_config.json",
                    R"({"chat_template":[{"name":"default","template":"{% if %}"}]})"));
  EXPECT_TRUE(Check("m.gguf", Gguf(0, 1).StringValue("tokenizer.chat_template", "{% x").bytes()));
}

// CVE-2026-5760: the same in a server that renders what a GGUF file brings. What the parser takes
// is stored as bytes; no gate, page or API renders it.
TEST(GateTemplate, Cve20265760TemplateInWeights) {
  const char* reaches = "{{ ''.__class__.__mro__[1].__subclasses__() }}";
  const auto kept =
      Check("m.gguf", Gguf(0, 1).StringValue("tokenizer.chat_template", reaches).bytes());
  const auto alone = Check("chat_template.jinja", reaches);
  EXPECT_EQ(kept.has_value(), alone.has_value());  // one parser for both
  EXPECT_TRUE(Check("m.gguf", Gguf(0, 1).StringValue("tokenizer.chat_template", "{{ x").bytes()));
}

// CVE-2025-49847: a vocabulary whose token is longer than the reader's buffer.
TEST(GateGguf, Cve202549847VocabularyLengths) {
  Gguf file(0, 1);
  file.Key("tokenizer.ggml.tokens", 9).Put<uint32_t>(8).Put<uint64_t>(1);
  file.Put<uint64_t>(0x7FFFFFFFFFFFFFFF);  // of a string that is not there
  EXPECT_TRUE(Check("m.gguf", file.bytes()));
  Gguf count(0, 1);
  count.Key("tokenizer.ggml.tokens", 9).Put<uint32_t>(8).Put<uint64_t>(UINT64_MAX);
  EXPECT_TRUE(Check("m.gguf", count.bytes()));
}

// CVE-2025-53630: sizes of tensors that overflow when they are added.
TEST(GateGguf, Cve202553630SumOfSizesOverflows) {
  EXPECT_TRUE(Check("m.gguf", Gguf(2, 0)
                                  .Tensor("a", {uint64_t{1} << 62}, 0, 0)
                                  .Tensor("b", {uint64_t{1} << 62}, 0, 0)
                                  .Data(64)));
}

// Its bypass: the last tensor alone wraps the sum.
TEST(GateGguf, Cve202627940SumOfSizesOverflows) {
  EXPECT_TRUE(Check("m.gguf", Gguf(2, 0)
                                  .Tensor("a", {uint64_t{1} << 61}, 0, 0)
                                  .Tensor("b", {uint64_t{1} << 61}, 0, uint64_t{1} << 63)
                                  .Data(64)));
}

// CVE-2026-33298: a product of dimensions that overflows to a small number of bytes.
TEST(GateGguf, Cve202633298ProductOverflows) {
  EXPECT_TRUE(Check(
      "m.gguf", Gguf(1, 0).Tensor("a", {uint64_t{1} << 32, uint64_t{1} << 32, 4}, 0, 0).Data(64)));
}

// GHSA-vgg9-87g3-85w8: padding to the alignment overflows; and alignments without an upper bound.
TEST(GateGguf, GhsaVgg9AlignmentAndPadding) {
  for (const uint32_t alignment : {0u, 3u, 1u << 31, 0xFFFFFFFFu}) {
    Gguf file(1, 1);
    file.Key("general.alignment", 4).Put<uint32_t>(alignment);
    EXPECT_TRUE(Check("m.gguf", file.Tensor("a", {8}, 0, 0).Data(64))) << alignment;
  }
  EXPECT_TRUE(Check("m.gguf", Gguf(1, 0).Tensor("a", {8}, 0, UINT64_MAX - 31).Data(64)));
}

// llama.cpp pull request 25969: byte tokens that are no two hexadecimal digits.
TEST(GateGguf, ByteTokenOutOfBounds) {
  Gguf file(0, 3);
  file.StringValue("tokenizer.ggml.model", "plamo2").Strings("tokenizer.ggml.tokens", {"<0x-1>"});
  file.Key("tokenizer.ggml.token_type", 9).Put<uint32_t>(5).Put<uint64_t>(1).Put<int32_t>(6);
  EXPECT_TRUE(Check("m.gguf", file.bytes()));
}

// CVE-2026-7482: a tensor that ends behind the file, whose bytes would be read from the heap.
TEST(GateGguf, Cve20267482TensorBehindTheEnd) {
  EXPECT_TRUE(Check("m.gguf", Gguf(1, 0).Tensor("a", {64}, 0, 0).Data(128)));
  EXPECT_TRUE(Check("m.gguf", Gguf(1, 0).Tensor("a", {0}, 0, 0).Data(0)));
}

// llama.cpp pull request 25821: more blocks than the reader has room for.
TEST(GateGguf, MoreThan512Blocks) {
  const auto blocks = [](uint32_t count) {
    Gguf file(0, 2);
    file.StringValue("general.architecture", "llama").Key("llama.block_count", 4);
    return file.Put<uint32_t>(count).bytes();
  };
  EXPECT_FALSE(Check("m.gguf", blocks(512)));
  EXPECT_TRUE(Check("m.gguf", blocks(513)));
}

TEST(GateGguf, CountsThatCannotBe) {
  EXPECT_TRUE(Check("m.gguf", Gguf(UINT64_MAX, 0).bytes()));
  EXPECT_TRUE(Check("m.gguf", Gguf(0, UINT64_MAX).bytes()));
  EXPECT_TRUE(Check("m.gguf", Gguf(1, 0).Tensor("a", {8}, 9999, 0).Data(32)));
  EXPECT_TRUE(Check("m.gguf", "GGUF"));
  EXPECT_TRUE(Check("m.gguf", Gguf(2, 0).Tensor("a", {8}, 0, 0).Tensor("a", {8}, 0, 32).Data(64)));
}

TEST(GateSafetensors, HeaderBombsAndPolyglots) {
  const std::string one = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  EXPECT_FALSE(Check("m.safetensors", Safetensors(one, "abcd")));
  EXPECT_TRUE(Check("m.safetensors", Safetensors(one, "abcdPK\3\4")));  // behind the last tensor
  EXPECT_TRUE(Check("m.safetensors", Safetensors(one, "abc")));
  EXPECT_TRUE(Check("m.safetensors", std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10)));
  EXPECT_TRUE(
      Check("m.safetensors", Safetensors(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                         R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                         "abcd")));
  EXPECT_TRUE(
      Check("m.safetensors", Safetensors(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],)"
                                         R"("data_offsets":[0,4]}})",
                                         "abcd")));
  EXPECT_TRUE(Check("m.safetensors", Safetensors(std::string(100'000, '['), "")));
}

TEST(GateIndex, ShardsLeadNowhere) {
  EXPECT_TRUE(Check("model.safetensors.index.json",
                    R"({"weight_map":{"w":"../../etc/passwd.safetensors"}})"));
  EXPECT_FALSE(Check("model.safetensors.index.json",
                     R"({"weight_map":{"w":"model-00001-of-00001.safetensors"}})"));
}

TEST(GateJson, BombsAreRefused) {
  EXPECT_TRUE(Check("a.json", std::string(200'000, '[')));
  EXPECT_TRUE(Check("a.json", "{"));
  EXPECT_TRUE(Check("a.json", std::string("{\"a\":\"\xff\"}")));
}

TEST(Card, DeclaresLicenceAndBases) {
  const auto card = ParseCard(
      "---\nlicense: apache-2.0\nbase_model:\n- alice/base\n- bob/other\nlanguage: [ko, \"en\"]\n"
      "model-index:\n- name: x\n  results:\n  - task: y\n---\n# 제목\n");
  ASSERT_TRUE(card.has_value());
  EXPECT_EQ(card->First("license"), "apache-2.0");
  EXPECT_EQ(card->All("base_model"), (std::vector<std::string>{"alice/base", "bob/other"}));
  EXPECT_EQ(card->All("language"), (std::vector<std::string>{"ko", "en"}));
  EXPECT_EQ(card->body, "# 제목\n");
  EXPECT_TRUE(CheckCard("---\nlicense: apache-2.0\n---\n").errors.empty());
  EXPECT_EQ(CheckCard("# no front matter").warnings.size(), 1u);
  for (const char* bad :
       {"---\nlicense: no-such\n---\n", "---\nlicense: other\n---\n", "---\nbase_model: no\n---\n",
        "---\nlicense: mit\n", "---\nnonsense\n---\n", "---\nlicense: mit\nlicense: gpl\n---\n",
        "---\nlicense: mit\nbase_model_relation: cousin\n---\n",
        "---\nlicense: mit\nlicense_link: ../../x\n---\n"}) {
    EXPECT_FALSE(CheckCard(bad).errors.empty()) << bad;
  }
}

}  // namespace
}  // namespace jikji::hub
