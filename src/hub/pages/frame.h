// What every page of a hub stands in: its head, its style, its language.
//
// Pages are whole HTML without scripts; they load nothing from elsewhere and say so in their
// policy. All text that is put into one is escaped.
#ifndef JIKJI_HUB_PAGES_FRAME_H_
#define JIKJI_HUB_PAGES_FRAME_H_

#include <string>
#include <string_view>

#include "hub/http/call.h"

namespace jikji::hub {

// Korean where `lang`, a cookie of it, or else the browser's first language says so.
struct PageLanguage {
  explicit PageLanguage(const net::Request& request);
  std::string_view Say(std::string_view english, std::string_view korean) const {
    return is_korean ? korean : english;
  }
  bool is_korean = false;
};

// "Sign in", or who is signed in and "Sign out"; empty on a hub without accounts. sign_in.cc
std::string SignInLine(const Call& call, const PageLanguage& language);

// A refusal, for a person; with the status and headers that programs get.
net::Response ErrorPage(const Call& call, const HttpError& error);

// `body` is HTML.
net::Response PageOf(const Call& call, const PageLanguage& language, std::string_view title,
                     const std::string& body);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_PAGES_FRAME_H_
