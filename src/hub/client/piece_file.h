// A file that is filled piece by piece and remembers, across programs, which pieces it has.
//
// Files are open from the first piece that comes to the last, so thousands may be planned at once.
// Beside `NAME.part`, of more than one piece, stands `NAME.pieces`, a byte for each piece, `1` once
// the piece is written and was right. A piece is marked after its bytes were written, so a mark is
// never wrong after the program was killed. Nothing here waits for the disk: what a power failure
// leaves may be wrong, and CacheFolder::Settle (cache.h) tells after one.
#ifndef JIKJI_HUB_CLIENT_PIECE_FILE_H_
#define JIKJI_HUB_CLIENT_PIECE_FILE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/digest.h"

namespace jikji::hub {

class PieceFile {
 public:
  // Takes up what is there if it is of the same size and pieces; else begins anew.
  static Result<PieceFile> Open(const std::filesystem::path& target, uint64_t size,
                                uint64_t piece_bytes);
  PieceFile(PieceFile&& other) noexcept;
  PieceFile& operator=(PieceFile&&) = delete;
  ~PieceFile();

  // Where its bytes are until it has its name.
  std::filesystem::path part() const { return target_.string() + ".part"; }
  size_t pieces() const { return marks_.size(); }
  bool Has(size_t piece) const { return marks_[piece] == '1'; }
  uint64_t Begin(size_t piece) const { return piece * piece_bytes_; }
  uint64_t End(size_t piece) const;

  // Different threads may write and mark different pieces.
  Result<> Write(uint64_t offset, std::string_view bytes);
  Result<> Mark(size_t piece);
  // What a marked piece hashes to, as it is on the disk.
  Result<Digest> Hash(size_t piece);
  void Unmark(size_t piece) { marks_[piece] = '0'; }

  // Gives it its name; every piece is there.
  Result<> Finish();

 private:
  PieceFile() = default;
  // A file of one piece has it or not.
  bool IsMarked() const { return marks_.size() > 1; }
  // Opens the files, unless they are open.
  Result<> Ensure();
  // Takes up the marks, or begins anew.
  Result<> Prepare();
  void Close();

  std::filesystem::path target_;
  uint64_t size_ = 0;
  uint64_t piece_bytes_ = 0;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();  // of opening
  int part_ = -1;
  int marks_file_ = -1;
  std::string marks_;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_PIECE_FILE_H_
