// The list of models that a browser sees, with a search.
#include <fmt/format.h>

#include "base/html.h"
#include "hub/http/routes.h"
#include "hub/http/visible.h"
#include "hub/pages/frame.h"

namespace jikji::hub {
namespace {

std::string RowOf(const Visible& item, const PageLanguage& language) {
  const std::string name = EscapeHtml(item.repository.name);
  std::string facts;
  const auto add = [&](std::string_view fact) {
    if (!fact.empty()) facts += (facts.empty() ? "" : " · ") + EscapeHtml(fact);
  };
  add(item.card.First("pipeline_tag"));
  add(item.card.First("license"));
  if (item.repository.is_private) add(language.Say("private", "비공개"));
  if (!item.repository.gated.empty()) add(language.Say("gated", "승인 필요"));
  add(IsoTime(item.tip.created_at).substr(0, 10));
  return fmt::format("<li><a href=\"/{0}\">{0}</a><div class=\"facts\">{1}</div></li>\n", name,
                     facts);
}

}  // namespace

HttpResult<net::Response> ListPage(Call& call) {
  const PageLanguage language(call.request);
  const FormFields query = ParseForm(call.request.query);
  const std::string search = FieldOf(query, "search");
  JIKJI_ASSIGN(const VisiblePage page,
               ListVisible(call, query, [](const Visible&) { return true; }));
  std::string body = fmt::format(
      "<form action=\"/models\"><input type=\"search\" name=\"search\" value=\"{}\" "
      "aria-label=\"{}\" placeholder=\"{}\"><button>{}</button></form>\n<ul class=\"models\">\n",
      EscapeHtml(search), language.Say("Search", "검색"),
      language.Say("Part of a model's name", "모델 이름의 일부"), language.Say("Search", "검색"));
  for (const Visible& item : page.items) body += RowOf(item, language);
  body += "</ul>\n";
  if (page.items.empty()) {
    body += fmt::format("<p class=\"muted\">{}</p>",
                        language.Say("There is no such model here.", "그런 모델이 없습니다."));
  }
  if (!page.next.empty()) {
    body += fmt::format("<p><a rel=\"next\" href=\"/models?search={}&amp;cursor={}\">{}</a></p>",
                        UrlEscape(search), UrlEscape(page.next), language.Say("Next", "다음"));
  }
  return PageOf(call, language, language.Say("Jikji models", "직지 모델"), body);
}

}  // namespace jikji::hub
