#include "govern/ledger/money.h"

#include <fmt/format.h>

#include <limits>

namespace jikji {
namespace {

constexpr size_t kFractionDigits = 9;

bool AddProduct(int64_t a, int64_t b, int64_t& sum) {
  int64_t product = 0;
  return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(sum, product, &sum);
}

}  // namespace

Result<> CheckCurrency(std::string_view currency) {
  if (currency == "KRW" || currency == "USD") return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("`{}` is no currency here: KRW or USD", currency));
}

Result<int64_t> ParseMoney(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string digits(whole);
  std::string_view fraction;
  if (point != std::string_view::npos) fraction = text.substr(point + 1);
  digits += fraction;
  digits.append(kFractionDigits - std::min(fraction.size(), kFractionDigits), '0');
  int64_t nano = 0;
  bool fits = !whole.empty() && fraction.size() <= kFractionDigits &&
              (point == std::string_view::npos || !fraction.empty());
  for (const char c : digits) {
    fits = fits && c >= '0' && c <= '9' && !__builtin_mul_overflow(nano, 10, &nano) &&
           !__builtin_add_overflow(nano, c - '0', &nano);
  }
  if (!fits) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is no amount: digits, a point and up to nine digits more, at "
                            "most {}",
                            text, FormatMoney(std::numeric_limits<int64_t>::max())));
  }
  return nano;
}

std::string FormatMoney(int64_t nano) {
  std::string text =
      fmt::format("{}{}", nano < 0 ? "-" : "", nano < 0 ? -(nano / kNano) : nano / kNano);
  const int64_t rest = nano < 0 ? -(nano % kNano) : nano % kNano;
  if (rest == 0) return text;
  text += fmt::format(".{:09}", rest);
  while (text.back() == '0') text.pop_back();
  return text;
}

Result<int64_t> Cost(const Prices& prices, const Tokens& tokens) {
  int64_t cost = 0;
  if (AddProduct(prices.input, tokens.input - tokens.cached, cost) &&
      AddProduct(prices.cached, tokens.cached, cost) &&
      AddProduct(prices.output, tokens.output, cost)) {
    return cost;
  }
  return Fail(ErrorCode::kResourceExhausted, "the cost of this request is beyond what is counted");
}

}  // namespace jikji
