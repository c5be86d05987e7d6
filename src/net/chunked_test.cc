#include "net/chunked.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

namespace jikji::net {
namespace {

using Status = ChunkDecoder::Status;

struct Decoded {
  Status status = Status::kMore;
  std::string body;
  size_t taken = 0;
};

// Feeds `text` in pieces of 1 to `max_piece` bytes.
Decoded Decode(std::string_view text, size_t max_piece, uint64_t limit, std::mt19937& random) {
  ChunkDecoder decoder(limit);
  Decoded decoded;
  while (!text.empty()) {
    const size_t size = std::min(text.size(), 1 + random() % max_piece);
    std::string_view input = text.substr(0, size);
    text.remove_prefix(size);
    std::string_view piece;
    do {
      const size_t before = input.size();
      decoded.status = decoder.Next(input, piece);
      decoded.taken += before - input.size();
      if (decoded.status == Status::kPiece) decoded.body += piece;
    } while (decoded.status == Status::kPiece);
    if (decoded.status != Status::kMore) return decoded;
  }
  return decoded;
}

TEST(ChunkDecoder, GivesTheSameBodyHoweverItIsSplit) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string body;
    std::string coded;
    for (int chunk = 0, chunks = static_cast<int>(random() % 8); chunk < chunks; ++chunk) {
      const std::string piece(1 + random() % 300, static_cast<char>('a' + chunk));
      char size[16];
      std::snprintf(size, sizeof size, random() % 2 ? "%zx" : "00%zX", piece.size());
      coded += size;
      if (random() % 2) coded += ";name=\"value\"";
      coded += "\r\n" + piece + "\r\n";
      body += piece;
    }
    coded += random() % 2 ? "0\r\n\r\n" : "0;x\r\nTrailer: 1\r\nOther: 2\r\n\r\n";
    const size_t size = coded.size();
    for (const size_t max_piece : {1u, 3u, 50u, 10000u}) {
      const Decoded decoded = Decode(coded + "GET", max_piece, 1 << 20, random);
      ASSERT_EQ(decoded.status, Status::kDone);
      ASSERT_EQ(decoded.body, body);
      ASSERT_EQ(decoded.taken, size);
    }
  }
}

TEST(ChunkDecoder, RefusesWhatIsNotChunkedCoding) {
  std::mt19937 random(7);
  for (const char* text :
       {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\na\r\n", "1\na\r\n",
        "1\r\nab\r\n", "1\r\na\n0\r\n\r\n", "1\r\nab", "1\ra", "0\r\n\rx", "0\n\n", "1;a\nb\r\n",
        "0\r\nA: b\nC\r\n\r\n", "1;\x01\r\n"}) {
    EXPECT_EQ(Decode(text, 100, 1 << 20, random).status, Status::kBad) << text;
  }
}

TEST(ChunkDecoder, SaysTooLargeBeforeTheBytesCome) {
  std::mt19937 random(7);
  EXPECT_EQ(Decode("65\r\n", 100, 100, random).status, Status::kTooLarge);
  EXPECT_EQ(Decode("64\r\n", 100, 100, random).status, Status::kMore);
  const std::string fifty = "32\r\n" + std::string(50, 'a') + "\r\n";
  EXPECT_EQ(Decode(fifty + fifty + "0\r\n\r\n", 100, 100, random).status, Status::kDone);
  EXPECT_EQ(Decode(fifty + fifty + "1\r\n", 100, 100, random).status, Status::kTooLarge);
  EXPECT_EQ(Decode("ffffffffffffffffffff\r\n", 100, UINT64_MAX, random).status, Status::kTooLarge);
}

TEST(ChunkDecoder, BoundsExtensionsAndTrailers) {
  std::mt19937 random(7);
  EXPECT_EQ(Decode("1;" + std::string(100000, 'x'), 1000, 100, random).status, Status::kBad);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 10000; ++i) trailers += "a: b\r\n";
  EXPECT_EQ(Decode(trailers, 1000, 100, random).status, Status::kBad);
}

}  // namespace
}  // namespace jikji::net
