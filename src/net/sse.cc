// The event stream parser of client.h: WHATWG HTML 9.2.6, of which only `data` is wanted.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "net/client.h"

namespace jikji::net {

void SseParser::Feed(std::string_view piece,
                     const std::function<void(std::string_view data)>& on_data) {
  const auto end_line = [&] {
    if (line_.empty()) {
      if (has_data_) {
        data_.pop_back();  // The line feed after the last data line.
        const std::string event = std::exchange(data_, {});
        has_data_ = false;
        on_data(event);
      }
      return;
    }
    std::string_view line = line_;
    const size_t colon = std::min(line.find(':'), line.size());
    if (line.substr(0, colon) == "data") {
      line.remove_prefix(std::min(colon + 1, line.size()));
      if (line.starts_with(' ')) line.remove_prefix(1);
      data_.append(line).push_back('\n');
      has_data_ = true;
    }
    line_.clear();
  };
  while (!piece.empty()) {
    if (std::exchange(last_was_cr_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const size_t end = piece.find_first_of("\r\n");
    line_.append(piece.substr(0, end));
    if (at_start_ && line_.size() >= 3) {
      if (line_.starts_with(kByteOrderMark)) line_.erase(0, kByteOrderMark.size());
      at_start_ = false;
    }
    if (end == std::string_view::npos) return;
    at_start_ = false;
    last_was_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    end_line();
  }
}

}  // namespace jikji::net
