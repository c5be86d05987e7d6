#include "app/train_page.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "adapt/train/curve.h"
#include "app/console.h"
#include "app/html_page.h"
#include "app/train_console.h"

namespace jikji {
namespace {

// The page asks for itself and takes the place of what it showed; without an answer it stays.
constexpr std::string_view kRefresh = R"(
setInterval(async () => {
  try {
    const answer = await fetch("/");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.body.replaceChildren(...page.body.childNodes);
  } catch (gone) { }
}, 2000);
)";

net::Response Plain(int status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {},
          .body = std::move(text)};
}

}  // namespace

Result<std::unique_ptr<TrainPage>> TrainPage::Start(std::string title, uint16_t port) {
  std::unique_ptr<TrainPage> page(new TrainPage(std::move(title)));
  net::ServerOptions options;
  options.port = port;
  options.max_connections = 64;
  options.error_body = [](int, std::string_view message) { return std::string(message); };
  JIKJI_ASSIGN(page->server_,
               net::Server::Start(std::move(options),
                                  [self = page.get()](const net::Request& request,
                                                      const std::shared_ptr<net::Responder>& to) {
                                    to->Send(self->Answer(request));
                                  }));
  return page;
}

std::string TrainPage::url() const { return fmt::format("http://127.0.0.1:{}/", server_->port()); }

void TrainPage::Show(const train::RunProgress& progress) {
  std::string line = ProgressLine(progress);
  const std::lock_guard lock(mutex_);
  line_ = std::move(line);
  for (size_t i = points_.size(); i < progress.curve.size(); ++i) {
    points_.push_back(progress.curve[i]);
  }
}

net::Response TrainPage::Answer(const net::Request& request) const {
  if (request.path != "/") return Plain(404, "not found\n");
  if (request.method != "GET" && request.method != "HEAD") return Plain(405, "only GET\n");
  HtmlPage page(title_);
  {
    const std::lock_guard lock(mutex_);
    page.Paragraph(line_.empty() ? Say("the first step is under way", "첫 스텝을 계산하는 중")
                                 : std::string_view(line_));
    page.Figure(train::CurveSvg(points_),
                Say("loss by step: as it came, and its running mean; dots: of the evaluation data",
                    "스텝별 손실: 그대로의 값과 이동 평균. 점은 평가 자료의 손실"));
  }
  page.Script(kRefresh);
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .headers = {{"Cache-Control", "no-store"},
                      {"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                       "connect-src 'self'"}},
          .body = page.Finish()};
}

}  // namespace jikji
