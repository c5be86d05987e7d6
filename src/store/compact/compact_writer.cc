#include "store/compact/compact_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "store/checksum.h"
#include "store/compact/chunk.h"

namespace jikji {
namespace {

constexpr size_t kChunksOfAThread = 8;
constexpr uint64_t kSampledChunks = 64;

Result<> WriteAt(int descriptor, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return Fail(
          errno == ENOSPC || errno == EDQUOT ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
          std::string("cannot write a compact file: ") + std::strerror(errno));
    }
    offset += static_cast<uint64_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

// One chunk on its way.
struct Job {
  size_t part = 0;
  uint64_t number = 0;
  uint64_t offset = 0;  // in the blob
  uint64_t source_offset = 0;
  uint64_t length = 0;

  ChunkCoder coder;
  std::string bytes;
  std::string source;
  std::string_view stored;
  uint64_t check = 0;
  Result<> result;
};

Result<> PackJob(const CompactRecipe& recipe, const ByteSource& blob, const CompactSources& sources,
                 Job& job) {
  const CompactPart& part = recipe.parts[job.part];
  job.bytes.resize(job.length);
  JIKJI_RETURN_IF_ERROR(blob.Read(job.offset, job.bytes));
  job.source.resize(part.source == kNoSource ? 0 : job.length);
  if (!job.source.empty()) {
    JIKJI_RETURN_IF_ERROR(sources[part.source]->Read(job.source_offset, job.source));
  }
  job.stored = job.coder.Pack(job.bytes, job.source, part.width);
  job.check = Xxh64(job.bytes, job.number);
  return {};
}

// Chunks in order, a batch at a time.
class Batches {
 public:
  Batches(const CompactRecipe& recipe, const ByteSource& blob, const CompactSources& sources,
          ThreadPool& pool)
      : recipe_(recipe),
        blob_(blob),
        sources_(sources),
        pool_(pool),
        jobs_(pool.size() * kChunksOfAThread) {}

  // Every `stride`th chunk.
  template <class Take>
  Result<> Run(uint64_t stride, Take take) {
    uint64_t number = 0;
    uint64_t begin = 0;
    for (size_t part = 0; part < recipe_.parts.size(); ++part) {
      const CompactPart& of = recipe_.parts[part];
      for (uint64_t at = 0; at < of.length; at += kCompactChunk, ++number) {
        if (number % stride != 0) continue;
        Job& job = jobs_[waiting_++];
        job.part = part;
        job.number = number;
        job.offset = begin + at;
        job.source_offset = of.source_offset + at;
        job.length = std::min(kCompactChunk, of.length - at);
        if (waiting_ == jobs_.size()) JIKJI_RETURN_IF_ERROR(Pack(take));
      }
      begin += of.length;
    }
    return Pack(take);
  }

 private:
  template <class Take>
  Result<> Pack(Take take) {
    pool_.ParallelFor(waiting_, 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        jobs_[i].result = PackJob(recipe_, blob_, sources_, jobs_[i]);
      }
    });
    for (size_t i = 0; i < waiting_; ++i) {
      JIKJI_RETURN_IF_ERROR(jobs_[i].result);
      JIKJI_RETURN_IF_ERROR(take(jobs_[i]));
    }
    waiting_ = 0;
    return {};
  }

  const CompactRecipe& recipe_;
  const ByteSource& blob_;
  const CompactSources& sources_;
  ThreadPool& pool_;
  std::vector<Job> jobs_;
  size_t waiting_ = 0;
};

Result<> CheckSources(const CompactRecipe& recipe, const CompactSources& sources) {
  for (const CompactPart& part : recipe.parts) {
    if (part.source == kNoSource) continue;
    const uint64_t size = sources.at(part.source)->size();
    if (part.source_offset > size || part.length > size - part.source_offset) {
      return Fail(ErrorCode::kMalformed, "a part is of bytes that its source does not have",
                  HexOf(recipe.digest));
    }
  }
  return {};
}

}  // namespace

Result<CompactSizes> WriteCompact(const CompactRecipe& recipe, const ByteSource& blob,
                                  const CompactSources& sources, ThreadPool& pool, int descriptor) {
  JIKJI_RETURN_IF_ERROR(CheckSources(recipe, sources));
  const std::string head = CompactHead(recipe);
  CompactSizes out;
  out.stored = head.size() + recipe.chunks() * kCompactEntryBytes;
  std::string index;
  std::vector<bool> changed(recipe.parts.size());
  JIKJI_RETURN_IF_ERROR(Batches(recipe, blob, sources, pool).Run(1, [&](const Job& job) {
    AppendEntry({out.stored, static_cast<uint32_t>(job.stored.size()), job.check}, index);
    if (!job.stored.empty()) changed[job.part] = true;
    auto written = descriptor < 0 ? Result<>() : WriteAt(descriptor, job.stored, out.stored);
    out.stored += job.stored.size();
    return written;
  }));
  for (size_t i = 0; i < recipe.parts.size(); ++i) {
    if (!changed[i]) out.shared += recipe.parts[i].length;
  }
  if (descriptor < 0) return out;
  JIKJI_RETURN_IF_ERROR(WriteAt(descriptor, index, head.size()));
  JIKJI_RETURN_IF_ERROR(WriteAt(descriptor, head, 0));
  return out;
}

Result<uint64_t> EstimateCompact(const CompactRecipe& recipe, const ByteSource& blob,
                                 const CompactSources& sources, ThreadPool& pool) {
  JIKJI_RETURN_IF_ERROR(CheckSources(recipe, sources));
  uint64_t bytes = 0;
  uint64_t stored = 0;
  JIKJI_RETURN_IF_ERROR(
      Batches(recipe, blob, sources, pool)
          .Run((recipe.chunks() - 1) / kSampledChunks + 1, [&](const Job& job) -> Result<> {
            bytes += job.length;
            stored += job.stored.size();
            return {};
          }));
  const double share = bytes == 0 ? 1 : static_cast<double>(stored) / static_cast<double>(bytes);
  return static_cast<uint64_t>(share * static_cast<double>(recipe.size));
}

}  // namespace jikji
