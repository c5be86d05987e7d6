// What it costs a core to take a file of weights at the door of a hub, without the way there: its
// SHA-256 and the strict reading of its layout; each alone and both.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "hub/gate.h"
#include "store/digest.h"

namespace {

constexpr size_t kPiece = 64u << 10;         // what a network thread reads at once
constexpr size_t kTensors = 512;             // as many as a model of 60 layers has
constexpr size_t kTensorBytes = 128u << 10;  // 64 MiB of weights

std::string Weights() {
  std::string header = "{";
  for (size_t i = 0; i < kTensors; ++i) {
    header += fmt::format(
        R"({}"model.layers.{}.weight":{{"dtype":"BF16","shape":[256,256],"data_offsets":[{},{}]}})",
        i == 0 ? "" : ",", i, i * kTensorBytes, (i + 1) * kTensorBytes);
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string out(8, '\0');
  const uint64_t size = header.size();
  std::memcpy(out.data(), &size, 8);
  out += header;
  out.resize(out.size() + kTensors * kTensorBytes, 'x');
  return out;
}

void Door(benchmark::State& state, bool hash, bool check) {
  const std::string file = Weights();
  for (auto _ : state) {
    if (hash) {
      jikji::Sha256Stream stream;
      for (size_t at = 0; at < file.size(); at += kPiece) {
        stream.Update(std::string_view(file).substr(at, kPiece));
      }
      benchmark::DoNotOptimize(stream.Finish());
    }
    if (check && jikji::hub::CheckContent("model.safetensors", std::as_bytes(std::span(file)))) {
      state.SkipWithError("the door refuses it");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(file.size()));
}

BENCHMARK_CAPTURE(Door, hash, true, false);
BENCHMARK_CAPTURE(Door, check, false, true);
BENCHMARK_CAPTURE(Door, hash_and_check, true, true);

}  // namespace
