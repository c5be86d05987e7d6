// `jikji fleet kubernetes`: the manifests of a fleet, for `kubectl apply -f -`.
#include <fmt/format.h>

#include "app/command.h"
#include "app/console.h"
#include "app/embedded.h"
#include "app/fleet/fleet_commands.h"
#include "app/fleet/placeholders.h"

namespace jikji {
namespace {

constexpr std::string_view kManifests = "jikji.yaml";
// After its answers were given their time, a node may take so long to end.
constexpr int64_t kEndSeconds = 15;

struct Options {
  std::string name = "jikji";
  std::string space = "default";
  std::string image;
  std::string etcd_image = "quay.io/coreos/etcd:v3.5.17";
  std::string model;
  std::string models_claim = "models";
  int64_t nodes = 2;
  int64_t cpus = 8;
  std::string memory = "32Gi";
  int64_t drain_seconds = 60;

  void AddTo(Settings& settings) {
    settings.Add("image", &image,
                 {"Image that has jikji as its entry point", "jikji가 진입점인 컨테이너 이미지"});
    settings.Add("model", &model, {"Model, as a path under /models", "모델 경로. /models 아래"});
    settings.Add("models-claim", &models_claim,
                 {"Volume claim that holds /models", "/models가 있는 볼륨 클레임"});
    settings.Add("nodes", &nodes, {"Nodes", "노드 수"}, 1, 100'000);
    settings.Add("cpus", &cpus, {"Processors of a node", "노드의 CPU 수"}, 1, 4096);
    settings.Add("memory", &memory, {"Memory of a node, as 32Gi", "노드의 메모리. 예: 32Gi"});
    settings.Add("name", &name, {"Name of the fleet", "플릿 이름"});
    settings.Add("namespace", &space, {"Namespace", "네임스페이스"});
    settings.Add("etcd-image", &etcd_image, {"Image of etcd", "etcd 이미지"});
    settings.Add(
        "drain-seconds", &drain_seconds,
        {"Time for answers to end when a node ends", "노드가 끝날 때 답변을 마칠 시간(초)"}, 0,
        86400);
  }
};

Result<> Render(Options& options) {
  if (options.image.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "name the image: --image REGISTRY/jikji:TAG",
                "--image");
  }
  if (options.model.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "name the model: --model /models/NAME", "--model");
  }
  const auto number = [](int64_t value) { return fmt::format("{}", value); };
  for (const EmbeddedFile& file : DeployFiles()) {
    if (file.name != kManifests) continue;
    JIKJI_ASSIGN(const std::string text,
                 FillPlaces(file.content,
                            {{"name", options.name},
                             {"namespace", options.space},
                             {"image", options.image},
                             {"etcd_image", options.etcd_image},
                             {"model", options.model},
                             {"models_claim", options.models_claim},
                             {"nodes", number(options.nodes)},
                             {"cpus", number(options.cpus)},
                             {"memory", options.memory},
                             {"drain_seconds", number(options.drain_seconds)},
                             {"grace_seconds", number(options.drain_seconds + kEndSeconds)}},
                            kManifests));
    fmt::print("{}", text);
    return {};
  }
  return Fail(ErrorCode::kInternal, "the program lacks this file", std::string(kManifests));
}

}  // namespace

void AddFleetKubernetesCommand(CommandGroup& fleet) {
  fleet.Add("kubernetes",
            Say("Print the manifests of a fleet: nodes, routers and their etcd",
                "플릿의 매니페스트를 출력합니다: 노드, 라우터, etcd"),
            &Render);
}

}  // namespace jikji
