// Characters that stand in for stretches of text while a template is rendered.
//
// One character of a private plane for each distinct stretch, none that occurs in the texts given
// at the start: it passes a template's filters (trim, upper, slices, tojson) unharmed and can be
// found again in what the template wrote.
#ifndef JIKJI_API_STAND_INS_H_
#define JIKJI_API_STAND_INS_H_

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/special_spellings.h"

namespace jikji {

class StandIns {
 public:
  // Characters of `text` will not be used. Call it for every text before the first Replace.
  void Avoid(std::string_view text);

  // `text` with each span (ascending, apart from each other) replaced by its stand-in.
  std::string Replace(std::string_view text, const std::vector<TextSpan>& spans);

  // False once there were more distinct stretches than free characters.
  bool enough() const { return enough_; }

  bool Contains(std::string_view text) const;
  // `text` with the stretches back in place.
  std::string Restore(std::string_view text) const;

 private:
  char32_t Take();

  std::unordered_set<char32_t> used_;
  std::map<std::string, char32_t, std::less<>> by_text_;
  std::unordered_map<char32_t, std::string> by_character_;
  char32_t next_ = 0xF0000;  // plane 15; plane 16 follows
  bool enough_ = true;
};

}  // namespace jikji

#endif  // JIKJI_API_STAND_INS_H_
