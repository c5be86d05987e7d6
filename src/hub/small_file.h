// Small files of a revision, read whole: its card, its reports.
#ifndef JIKJI_HUB_SMALL_FILE_H_
#define JIKJI_HUB_SMALL_FILE_H_

#include <optional>
#include <string>
#include <string_view>

#include "hub/card.h"
#include "hub/hub.h"

namespace jikji::hub {

// nullopt where there is none, it is larger, or it cannot be read.
std::optional<std::string> TextIn(const Hub& hub, const Listing& listing, std::string_view path,
                                  uint64_t max_bytes);

// What README.md declares; an empty card where there is none that can be read.
Card CardIn(const Hub& hub, const Listing& listing);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_SMALL_FILE_H_
