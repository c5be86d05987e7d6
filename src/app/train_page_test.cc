#include "app/train_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

net::Response Get(const std::string& url, const std::string& method = "GET") {
  auto response = net::Fetch({.method = method, .url = url, .headers = {}, .body = {}});
  EXPECT_TRUE(response) << response.error().ToString();
  return response ? *response : net::Response();
}

TEST(TrainPage, ShowsTheRunAsItGoes) {
  const auto page = TrainPage::Start("runs/<first>", 0);
  ASSERT_TRUE(page) << page.error().ToString();
  const net::Response empty = Get((*page)->url());
  EXPECT_EQ(empty.status, 200);
  EXPECT_THAT(empty.body, HasSubstr("runs/&lt;first&gt;"));
  EXPECT_THAT(empty.body, Not(HasSubstr("<circle")));

  // A run that was resumed has points from before; each is shown once.
  std::vector<train::CurvePoint> curve = {{.step = 1, .loss = 5}, {.step = 2, .loss = 4}};
  (*page)->Show({.point = curve[1], .curve = curve, .steps = 9});
  curve.push_back({.step = 3, .loss = 3, .eval_loss = 3.25});
  (*page)->Show({.point = curve[2], .curve = curve, .steps = 9});
  const net::Response shown = Get((*page)->url());
  EXPECT_THAT(shown.body, HasSubstr("3/9"));
  EXPECT_THAT(shown.body, HasSubstr("3.0000"));
  EXPECT_THAT(shown.body, HasSubstr(train::CurveSvg(curve)));
  EXPECT_THAT(shown.body, HasSubstr("<circle"));
}

TEST(TrainPage, HasNothingElse) {
  const auto page = TrainPage::Start("run", 0);
  ASSERT_TRUE(page) << page.error().ToString();
  EXPECT_EQ(Get((*page)->url() + "curve.jsonl").status, 404);
  EXPECT_EQ(Get((*page)->url(), "POST").status, 405);
}

TEST(TrainPage, APortThatIsTakenIsAnError) {
  const auto page = TrainPage::Start("run", 0);
  ASSERT_TRUE(page) << page.error().ToString();
  const std::string url = (*page)->url();
  const auto port = std::stoi(url.substr(url.rfind(':') + 1));
  EXPECT_FALSE(TrainPage::Start("again", static_cast<uint16_t>(port)));
}

}  // namespace
}  // namespace jikji
