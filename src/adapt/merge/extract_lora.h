// What fine-tuning changed, as an adapter: of each projection's difference from the base the best
// approximation of a rank, written as PEFT has it.
//
// Contract: a difference of no higher rank comes back but for rounding; what is lost of others is
// reported. Where the tuned model's vocabulary is another, its embedding and head are in the
// adapter whole (`modules_to_save`), and its tokenizer and template beside it. One matrix is in
// memory at a time, and the adapter. Non-goals: other embeddings, norms and biases: which differ is
// reported.
#ifndef JIKJI_ADAPT_MERGE_EXTRACT_LORA_H_
#define JIKJI_ADAPT_MERGE_EXTRACT_LORA_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"

namespace jikji {

struct ExtractReport {
  int64_t matrices = 0;               // that differ, and are in the adapter
  double kept = 1;                    // of the differences' squared size
  std::vector<std::string> left_out;  // tensors that differ and are not in the adapter
};

Result<ExtractReport> ExtractLora(const std::filesystem::path& tuned,
                                  const std::filesystem::path& base,
                                  const std::filesystem::path& out, int64_t rank, ThreadPool& pool,
                                  const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_MERGE_EXTRACT_LORA_H_
