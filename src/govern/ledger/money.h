// Money in whole nano-units of a currency (10⁻⁹ won or dollar) and what tokens cost.
//
// Contract: integers only (promise 6); what does not fit 64 bits is an error, never a smaller
// number. That bounds one budget at some 9.2 billion won.
#ifndef JIKJI_GOVERN_LEDGER_MONEY_H_
#define JIKJI_GOVERN_LEDGER_MONEY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

inline constexpr int64_t kNano = 1'000'000'000;

// "KRW" or "USD".
Result<> CheckCurrency(std::string_view currency);

// "1500", "0.25": not negative, at most nine digits after the point, to nano-units.
Result<int64_t> ParseMoney(std::string_view text);
// The shortest digits that read back as the same.
std::string FormatMoney(int64_t nano);

// Nano-units for one token.
struct Prices {
  int64_t input = 0;
  int64_t cached = 0;  // of the input, what was found in the cache; at most `input`
  int64_t output = 0;
  bool operator==(const Prices&) const = default;
};

struct Tokens {
  int64_t input = 0;
  int64_t cached = 0;  // of `input`
  int64_t output = 0;
  bool operator==(const Tokens&) const = default;
};

// kResourceExhausted where it does not fit.
Result<int64_t> Cost(const Prices& prices, const Tokens& tokens);

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_MONEY_H_
