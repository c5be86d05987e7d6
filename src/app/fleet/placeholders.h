// Fills the places of a text: ${name} becomes its value.
#ifndef JIKJI_APP_FLEET_PLACEHOLDERS_H_
#define JIKJI_APP_FLEET_PLACEHOLDERS_H_

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

// A place without a value, a value without a place, and a value that would break out of where it
// stands (anything but letters, digits and -_./:@+) are errors. `where` names the text.
Result<std::string> FillPlaces(std::string_view text,
                               const std::map<std::string, std::string>& values,
                               std::string_view where);

}  // namespace jikji

#endif  // JIKJI_APP_FLEET_PLACEHOLDERS_H_
