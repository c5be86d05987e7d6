#include "tensor/file_layout.h"

#include <limits>

#include "tensor/quoted.h"

namespace jikji {

Result<uint64_t> TensorSpec::Bytes() const {
  const auto refuse = [&](const char* why) {
    return Fail(ErrorCode::kInvalidArgument, "tensor " + Quoted(name) + ": " + why);
  };
  int64_t rows = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) return refuse("a dimension is negative");
    if (i + 1 < shape.size() && __builtin_mul_overflow(rows, shape[i], &rows)) {
      return refuse("the size overflows");
    }
  }
  const int64_t cols = shape.empty() ? 1 : shape.back();
  const auto row_bytes = RowBytes(dtype, static_cast<uint64_t>(cols));
  if (!row_bytes) return refuse("a row ends inside a block");
  const auto bytes = static_cast<unsigned __int128>(*row_bytes) * static_cast<uint64_t>(rows);
  if (bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return refuse("the size overflows");
  }
  return static_cast<uint64_t>(bytes);
}

}  // namespace jikji
