#include <algorithm>
#include <array>

#include "hub/bom/bom.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

// Of the names that cards use, those on SPDX's list, as it writes them.
constexpr std::array<std::string_view, 40> kSpdx = {"AFL-3.0",
                                                    "AGPL-3.0",
                                                    "Apache-2.0",
                                                    "Artistic-2.0",
                                                    "BSD-2-Clause",
                                                    "BSD-3-Clause",
                                                    "BSD-3-Clause-Clear",
                                                    "BSL-1.0",
                                                    "C-UDA-1.0",
                                                    "CC-BY-2.0",
                                                    "CC-BY-2.5",
                                                    "CC-BY-3.0",
                                                    "CC-BY-4.0",
                                                    "CC-BY-NC-2.0",
                                                    "CC-BY-NC-3.0",
                                                    "CC-BY-NC-4.0",
                                                    "CC-BY-NC-ND-3.0",
                                                    "CC-BY-NC-ND-4.0",
                                                    "CC-BY-NC-SA-3.0",
                                                    "CC-BY-NC-SA-4.0",
                                                    "CC-BY-ND-4.0",
                                                    "CC-BY-SA-3.0",
                                                    "CC-BY-SA-4.0",
                                                    "CC0-1.0",
                                                    "CDLA-Permissive-1.0",
                                                    "CDLA-Permissive-2.0",
                                                    "ECL-2.0",
                                                    "EPL-1.0",
                                                    "EPL-2.0",
                                                    "EUPL-1.1",
                                                    "EUPL-1.2",
                                                    "GPL-2.0",
                                                    "GPL-3.0",
                                                    "ISC",
                                                    "LGPL-2.1",
                                                    "LGPL-3.0",
                                                    "MIT",
                                                    "MPL-2.0",
                                                    "Unlicense",
                                                    "WTFPL"};

}  // namespace

std::string SpdxLicence(std::string_view card_name) {
  const std::string folded = Folded(card_name);
  const auto same = [&](std::string_view name) { return Folded(name) == folded; };
  const auto* found = std::ranges::find_if(kSpdx, same);
  return found == kSpdx.end() ? std::string() : std::string(*found);
}

}  // namespace jikji::hub
