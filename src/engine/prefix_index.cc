#include "engine/prefix_index.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <random>

namespace jikji {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

PrefixIndex::PrefixIndex(int32_t pages, int32_t page_tokens)
    : page_tokens_(static_cast<size_t>(page_tokens)),
      seed_(RandomSeed()),
      pages_(static_cast<size_t>(pages)),
      tokens_(pages_.size() * page_tokens_),
      buckets_(std::bit_ceil(pages_.size() + 1), -1) {}

std::span<const TokenId> PrefixIndex::TokensOf(int32_t page) const {
  return std::span(tokens_).subspan(static_cast<size_t>(page) * page_tokens_, page_tokens_);
}

uint64_t PrefixIndex::Hash(const Content& content) const {
  uint64_t hash = Mix(seed_ ^ content.parent);
  if (content.parent == kRoot) hash = Mix(hash ^ std::hash<std::string_view>()(content.root));
  for (const TokenId token : content.tokens) hash = Mix(hash ^ static_cast<uint32_t>(token));
  return hash;
}

std::optional<int32_t> PrefixIndex::Find(const Content& content) const {
  const uint64_t hash = Hash(content);
  for (int32_t page = buckets_[hash & (buckets_.size() - 1)]; page >= 0; page = At(page).next) {
    const Page& found = At(page);
    if (found.hash == hash && found.parent == content.parent &&
        (content.parent != kRoot || found.root == content.root) &&
        std::ranges::equal(TokensOf(page), content.tokens)) {
      return page;
    }
  }
  return std::nullopt;
}

PrefixIndex::Entry PrefixIndex::Insert(int32_t page, const Content& content) {
  Page& added = At(page);
  if (content.parent == kRoot) added.root = content.root;  // may lack memory: before all else
  added.parent = content.parent;
  added.hash = Hash(content);
  std::ranges::copy(content.tokens, tokens_.begin() + page * static_cast<int64_t>(page_tokens_));
  added.next = Bucket(added.hash);
  Bucket(added.hash) = page;
  added.entry = ++last_entry_;
  return added.entry;
}

void PrefixIndex::Erase(int32_t page) {
  Page& gone = At(page);
  int32_t* link = &Bucket(gone.hash);
  while (*link != page) link = &At(*link).next;
  *link = gone.next;
  gone = {};
}

void PrefixIndex::Clear() {
  std::ranges::fill(pages_, Page());
  std::ranges::fill(buckets_, -1);
}

}  // namespace jikji
