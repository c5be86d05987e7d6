// The base and an adapter's part made one: a Hugging Face folder that needs no adapter.
//
// Contract: each adapted matrix becomes (W + scale · B · A) · gain, computed in f32 and rounded
// once to the type it has in the base; what is not adapted is copied byte for byte. One matrix is
// in memory at a time. An embedding and a head of the adapter's own take the places of the base's,
// and its tokenizer and template come along. Non-goals: bases in GGUF (convert them first).
#ifndef JIKJI_ADAPT_MERGE_MERGE_ADAPTER_H_
#define JIKJI_ADAPT_MERGE_MERGE_ADAPTER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/dtype.h"

namespace jikji {

// `dtype`: of all matrices in the new folder; nullopt: as in the base. Returns how many matrices
// were adapted.
Result<int64_t> MergeAdapter(const std::filesystem::path& adapter,
                             const std::filesystem::path& base, const std::filesystem::path& out,
                             std::optional<DType> dtype, ThreadPool& pool,
                             const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_MERGE_MERGE_ADAPTER_H_
