// `jikji hub key`, `sign` and `check`: models that prove where they come from.
#include <fmt/format.h>

#include "app/command.h"
#include "app/console.h"
#include "app/hub_commands.h"
#include "hub/signing/signature.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSignatureName = "model.sig";

fs::path SignatureIn(const std::string& folder, const std::string& given) {
  return given.empty() ? fs::path(folder) / kSignatureName : fs::path(given);
}

struct KeySettings {
  std::string path;
  void AddTo(Settings& settings) {
    settings.AddPositional("FILE", &path,
                           {"Where the private key goes; FILE.pub is the public one",
                            "개인 키 파일. 공개 키는 FILE.pub"});
  }
};

Result<> MakeKey(KeySettings& settings) {
  JIKJI_RETURN_IF_ERROR(hub::MakeSigningKey(settings.path, settings.path + ".pub"));
  fmt::print("{}.pub\n", settings.path);
  return {};
}

struct SignSettings {
  std::string folder, signature, key, certificates;
  bool shards = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("DIR", &folder, {"Folder of the model", "모델 폴더"});
    settings.Add("signature", &signature,
                 {"File of the signature; else DIR/model.sig", "서명 파일. 없으면 DIR/model.sig"});
    settings.Add("key", &key, {"Private key (PEM)", "개인 키(PEM)"});
    settings.Add("certificates", &certificates,
                 {"The signer's certificate and its chain (PEM)", "서명자 인증서와 체인(PEM)"});
    settings.Add(
        "shards", &shards,
        {"Sign every 1,000,000,000 bytes by themselves", "1,000,000,000바이트마다 따로 서명"});
  }
};

Result<> Sign(SignSettings& settings) {
  if (settings.key.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("with which key? --key FILE (`jikji hub key` makes one)",
                                "어느 키로 서명할까요? --key FILE (`jikji hub key`로 만듭니다)")));
  }
  const fs::path signature = SignatureIn(settings.folder, settings.signature);
  JIKJI_RETURN_IF_ERROR(hub::SignModel({settings.folder, signature, settings.shards, true},
                                       {settings.key, settings.certificates}));
  fmt::print("{}\n", signature.string());
  return {};
}

struct CheckSettings {
  std::string folder, signature, key, roots;

  void AddTo(Settings& settings) {
    settings.AddPositional("DIR", &folder, {"Folder of the model", "모델 폴더"});
    settings.Add("signature", &signature,
                 {"File of the signature; else DIR/model.sig", "서명 파일. 없으면 DIR/model.sig"});
    settings.Add("key", &key, {"Public key (PEM)", "공개 키(PEM)"});
    settings.Add("roots", &roots,
                 {"Certificates that signers must lead to (PEM), in place of a key",
                  "키 대신, 서명자가 이어져야 하는 루트 인증서(PEM)"});
  }
};

Result<> Check(CheckSettings& settings) {
  if (settings.key.empty() == settings.roots.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("whom to trust? --key FILE or --roots FILE",
                                "누구를 믿을까요? --key FILE 또는 --roots FILE")));
  }
  JIKJI_ASSIGN(const hub::SignedModel model,
               hub::VerifyModel(settings.folder, SignatureIn(settings.folder, settings.signature),
                                {settings.key, settings.roots}));
  for (const std::string& problem : model.problems) fmt::print("{}\n", problem);
  fmt::print(fmt::runtime(Say("{}: {} signed, {} problems\n", "{}: 서명된 항목 {}개, 문제 {}건\n")),
             model.manifest.name, model.manifest.resources.size(), model.problems.size());
  if (model.problems.empty()) return {};
  return Fail(ErrorCode::kMalformed,
              std::string(Say("the folder is not what was signed", "서명된 내용과 다릅니다")),
              settings.folder);
}

}  // namespace

void AddHubSignCommands(CommandGroup& group) {
  group.Add("key", Say("Make a key to sign models with", "모델에 서명할 키를 만듭니다"), &MakeKey);
  group.Add("sign",
            Say("Sign a model's folder (OpenSSF Model Signing v1.0)",
                "모델 폴더에 서명합니다(OpenSSF Model Signing v1.0)"),
            &Sign);
  group.Add("check",
            Say("Check a model's folder against its signature", "모델 폴더를 서명과 맞춰 봅니다"),
            &Check);
}

}  // namespace jikji
