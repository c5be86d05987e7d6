// Any bytes as what comes from outside to a hub: a card, a file at its door under each kind of
// name, a signed statement, a stored tree, a Range. An answer or an error, never more; what was
// accepted is written and read to the same.
#include <cstdint>
#include <cstdlib>
#include <ranges>
#include <span>
#include <string_view>

#include "hub/bundle/header.h"
#include "hub/card.h"
#include "hub/gate.h"
#include "hub/http/range.h"
#include "hub/lineage/recipe.h"
#include "hub/listing.h"
#include "hub/names.h"
#include "hub/signing/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)jikji::hub::CheckCard(text);
  for (const char* name :
       {"config.json", "chat_template.jinja", "README.md", "data.bin", "a.txt"}) {
    const auto refused = jikji::hub::CheckContent(name, std::as_bytes(std::span(text)));
    if (refused && (refused->english.empty() || refused->korean.empty())) std::abort();
  }
  if (jikji::hub::CheckFilePath(text)) {
    // What passes leads nowhere else.
    for (const auto part : std::views::split(text, '/')) {
      const std::string_view name(part.begin(), part.end());
      if (name.empty() || name == "." || name == "..") std::abort();
    }
    jikji::hub::Listing listing;
    listing.emplace(text, jikji::hub::SmallFile("x"));
    const auto trees = jikji::hub::TreesOf(listing);
    if (!trees || trees->empty()) std::abort();
  }
  if (const auto manifest = jikji::hub::ParseStatement(text)) {
    const auto again = jikji::hub::ParseStatement(jikji::hub::StatementOf(*manifest));
    if (!again || again->resources != manifest->resources) std::abort();
  }
  if (const auto recipe = jikji::hub::ParseLineageRecipe(text)) {
    // It reads nothing but files of repositories.
    for (const std::string& path : {recipe->input, recipe->output, recipe->recipe}) {
      if (!path.empty() && !jikji::hub::CheckFilePath(path)) std::abort();
    }
  }
  if (const auto bundle = jikji::hub::ParseBundleHeader(text)) {
    for (const auto& [path, file] : bundle->files) {
      if (!jikji::hub::CheckFilePath(path)) std::abort();
    }
    if (jikji::hub::HeaderText(*bundle) != text) std::abort();
  }
  (void)jikji::hub::ParseEntries(text);
  const auto range = jikji::hub::ParseRange(text, 1000);
  if (range.kind == jikji::hub::RangeRequest::Kind::kPart &&
      (range.begin >= range.end || range.end > 1000)) {
    std::abort();
  }
  return 0;
}
