// A file that is filled piece by piece and remembers, across programs, which pieces it has.
//
// Beside `NAME.part` stands `NAME.pieces`, a byte for each piece, `1` once the piece is written and
// was right. A piece is marked after its bytes were written, so a mark is never wrong after the
// program was killed. All is on the disk before the file gets its name; what a power failure leaves
// of an unfinished one may be wrong, and `jikji hub verify` tells once it has its name.
#ifndef JIKJI_HUB_CLIENT_PIECE_FILE_H_
#define JIKJI_HUB_CLIENT_PIECE_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::hub {

class PieceFile {
 public:
  // Takes up what is there if it is of the same size and pieces; else begins anew.
  static Result<PieceFile> Open(const std::filesystem::path& target, uint64_t size,
                                uint64_t piece_bytes);
  PieceFile(PieceFile&& other) noexcept;
  PieceFile& operator=(PieceFile&&) = delete;
  ~PieceFile();

  size_t pieces() const { return marks_.size(); }
  bool Has(size_t piece) const { return marks_[piece] == '1'; }
  uint64_t Begin(size_t piece) const { return piece * piece_bytes_; }
  uint64_t End(size_t piece) const;

  // Different threads may write and mark different pieces.
  Result<> Write(uint64_t offset, std::string_view bytes);
  Result<> Mark(size_t piece);

  // Brings it to the disk and gives it its name; every piece is there.
  Result<> Finish();

 private:
  PieceFile() = default;
  std::filesystem::path target_;
  uint64_t size_ = 0;
  uint64_t piece_bytes_ = 0;
  int part_ = -1;
  int marks_file_ = -1;
  std::string marks_;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_PIECE_FILE_H_
