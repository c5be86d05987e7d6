// A name from a file, fit to be shown in an error: in backquotes, control characters and bytes that
// are not UTF-8 replaced, cut where it is long.
#ifndef JIKJI_TENSOR_QUOTED_H_
#define JIKJI_TENSOR_QUOTED_H_

#include <string>
#include <string_view>

namespace jikji {

std::string Quoted(std::string_view name);

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUOTED_H_
