// Writes a weights file while its tensors are made, piece by piece, holding none of them.
//
// Contract: the file appears under its name, whole and synced, when Finish returns success, and not
// before; a writer that is destroyed unfinished leaves nothing. Non-goals: several threads.
#ifndef JIKJI_TENSOR_FILE_WRITER_H_
#define JIKJI_TENSOR_FILE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "tensor/file_layout.h"

namespace jikji {

class TensorFileWriter {
 public:
  static Result<TensorFileWriter> Create(const std::filesystem::path& path, FileLayout layout);

  TensorFileWriter(TensorFileWriter&& other) noexcept;
  TensorFileWriter& operator=(TensorFileWriter&& other) noexcept;
  ~TensorFileWriter();

  // The next bytes of the tensor of that number in the layout; tensors may come in any order and
  // take turns. An error where they are more than the layout has place for.
  Result<> Append(size_t tensor, std::span<const std::byte> bytes);

  // An error where a tensor still lacks bytes.
  Result<> Finish();

 private:
  TensorFileWriter() = default;
  void Abandon();

  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
  std::vector<FileLayout::Place> places_;
  std::vector<uint64_t> written_;  // bytes of each tensor so far
};

}  // namespace jikji

#endif  // JIKJI_TENSOR_FILE_WRITER_H_
