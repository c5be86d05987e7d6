// Streams that are fed in turn give what each would give alone, whoever comes, goes or waits.
#include "store/sha256_in_step.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "base/random.h"
#include "store/testing/byte_pattern.h"

namespace jikji {
namespace {

TEST(Sha256InStep, OneAloneAndNone) {
  Sha256InStep none;
  EXPECT_EQ(none.Finish(), Sha256Of(""));
  Sha256InStep one;
  one.Update("a");
  one.Update("bc");
  EXPECT_EQ(one.Finish(), Sha256Of("abc"));
}

TEST(Sha256InStep, AnyStreamsInAnyOrder) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    struct Fed {
      std::string bytes;
      std::string_view rest;
      std::optional<Sha256InStep> hash;
    };
    std::vector<Fed> streams(1 + seed % 4);
    for (Fed& fed : streams) {
      fed.bytes = BytePattern(random.Below(400'000), seed);
      fed.rest = fed.bytes;
      fed.hash.emplace();
    }
    for (size_t open = streams.size(); open > 0;) {
      Fed& fed = streams[random.Below(streams.size())];
      if (!fed.hash) continue;
      if (fed.rest.empty() || random.Below(50) == 0) {
        const size_t taken = fed.bytes.size() - fed.rest.size();
        // Some break off; what they left waiting is nobody's.
        if (random.Below(3) != 0) {
          EXPECT_EQ(fed.hash->Finish(), Sha256Of(fed.bytes.substr(0, taken)));
        }
        fed.hash.reset();
        --open;
        continue;
      }
      const size_t count = std::min<size_t>(fed.rest.size(), random.Below(100'000));
      fed.hash->Update(fed.rest.substr(0, count));
      fed.rest.remove_prefix(count);
    }
  }
}

// As an upload's end does: the network thread fed it, a worker finishes it while others are fed.
TEST(Sha256InStep, FinishedOnAnotherThread) {
  const std::string bytes = BytePattern(300'000, 1);
  Sha256InStep other;
  for (int round = 0; round < 200; ++round) {
    auto hash = std::make_unique<Sha256InStep>();
    other.Update("x");
    hash->Update(bytes);
    std::thread worker(
        [hash = std::move(hash), &bytes] { EXPECT_EQ(hash->Finish(), Sha256Of(bytes)); });
    for (int i = 0; i < 10; ++i) other.Update(std::string_view(bytes).substr(0, 70'000));
    worker.join();
  }
  Sha256Stream plain;
  for (int round = 0; round < 200; ++round) {
    plain.Update("x");
    for (int i = 0; i < 10; ++i) plain.Update(std::string_view(bytes).substr(0, 70'000));
  }
  EXPECT_EQ(other.Finish(), plain.Finish());
}

TEST(Sha256InStep, MovesWithWhatWaits) {
  const std::string bytes = BytePattern(100'000, 2);
  Sha256InStep other;
  other.Update("y");
  Sha256InStep first;
  first.Update(bytes);
  Sha256InStep moved(std::move(first));
  moved.Update(bytes);
  EXPECT_EQ(moved.Finish(), Sha256Of(bytes + bytes));
  EXPECT_EQ(other.Finish(), Sha256Of("y"));
}

}  // namespace
}  // namespace jikji
