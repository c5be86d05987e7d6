// The page of a model: how to use it, its card, what it was made from, its files and revisions.
#include <fmt/format.h>

#include <set>

#include "base/html.h"
#include "hub/http/routes.h"
#include "hub/http/visible.h"
#include "hub/lineage/lineage.h"
#include "hub/pages/frame.h"
#include "hub/pages/markdown.h"
#include "hub/pages/scores.h"

namespace jikji::hub {
namespace {

constexpr size_t kFilesShown = 500;
constexpr size_t kCommitsShown = 20;
constexpr size_t kAncestors = 8;

std::string SizeText(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
  return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

std::string Heading(std::string_view text) { return fmt::format("<h2>{}</h2>\n", text); }

std::string UseOf(const Call& call, const Listing& listing) {
  const std::string& name = call.repository->name;
  bool gguf = false;
  for (const auto& [path, file] : listing) gguf = gguf || path.ends_with(".gguf");
  const std::string run =
      gguf ? fmt::format("MODEL_ENDPOINT={}/ llama-server -hf {}", call.base_url, name)
           : fmt::format(
                 "python3 -c \"from transformers import AutoModel; "
                 "AutoModel.from_pretrained('{}')\"",
                 name);
  return "<pre>" +
         EscapeHtml(fmt::format("export HF_ENDPOINT={} HF_HUB_DISABLE_XET=1\njikji hub pull {}\n{}",
                                call.base_url, name, run)) +
         "</pre>\n";
}

// What `jikji hub lineage` found of this commit's bases; empty where it was not run.
HttpResult<std::string> FoundOf(Call& call, const Commit& tip, const PageLanguage& language) {
  JIKJI_ASSIGN(const auto lineage, KeptLineage(call.database, call.repository->id, tip.oid));
  std::string out;
  for (const Ancestor& ancestor : lineage) {
    std::string_view standing = language.Say("claimed", "주장");
    if (ancestor.standing == Standing::kConsistent) {
      standing = language.Say("consistent", "부합");
    } else if (ancestor.standing == Standing::kProved) {
      standing = language.Say("proved", "증명");
    }
    out += fmt::format("<tr><td>{}</td><td><span class=\"tag\">{}</span></td><td>{}</td></tr>\n",
                       EscapeHtml(ancestor.base), standing,
                       EscapeHtml(language.Say(ancestor.english, ancestor.korean)));
  }
  return out.empty() ? out : "<table>\n" + out + "</table>\n";
}

// What the card says this was made from, and what theirs say, as far as this hub knows them. These
// are claims.
HttpResult<std::string> LineageOf(Call& call, const Card& card, std::set<std::string>& told) {
  std::string out;
  for (const std::string& base : card.All("base_model")) {
    if (told.size() >= kAncestors || !told.insert(base).second) continue;
    const auto found = SeeRepository(call, "model", base);
    const std::string relation = card.First("base_model_relation");
    const std::string how = relation.empty() ? "" : " · " + EscapeHtml(relation);
    if (!found) {
      out += fmt::format("<li>{}<span class=\"muted\">{}</span></li>", EscapeHtml(base), how);
      continue;
    }
    JIKJI_ASSIGN(const Commit tip, ResolveRevision(call.database, found->id, "main"));
    JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, tip.tree));
    JIKJI_ASSIGN(const std::string above, LineageOf(call, CardIn(call.hub, *listing), told));
    out += fmt::format("<li><a href=\"/{0}\">{0}</a><span class=\"muted\">{1}</span>{2}</li>",
                       EscapeHtml(found->name), how, above);
  }
  return out.empty() ? out : "<ul>" + out + "</ul>\n";
}

std::string FilesOf(const Listing& listing, const std::string& files,
                    const PageLanguage& language) {
  std::string out = "<table>\n";
  size_t shown = 0;
  for (const auto& [path, file] : listing) {
    if (shown++ == kFilesShown) break;
    out += fmt::format("<tr><td><a href=\"{}{}\">{}</a></td><td class=\"muted\">{}</td></tr>\n",
                       files, UrlEscape(path, true), EscapeHtml(path), SizeText(file.size));
  }
  out += "</table>\n";
  if (listing.size() > kFilesShown) {
    out += fmt::format(fmt::runtime(language.Say("<p class=\"muted\">and {} more</p>",
                                                 "<p class=\"muted\">그 밖에 {}개</p>")),
                       listing.size() - kFilesShown);
  }
  return out;
}

HttpResult<std::string> RevisionsOf(Call& call, const Commit& tip, const std::string& page) {
  JIKJI_ASSIGN(const auto refs, ListRefs(call.database, call.repository->id));
  std::string out = "<p>";
  for (const Ref& ref : refs) {
    out += fmt::format("<a class=\"tag\" href=\"{}/tree/{}\">{}</a>", page,
                       UrlEscape(ref.name, true), EscapeHtml(ref.name));
  }
  out += "</p>\n<table>\n";
  JIKJI_ASSIGN(const auto history,
               History(call.database, call.repository->id, tip.oid, 0, kCommitsShown));
  for (const Commit& commit : history) {
    out += fmt::format(
        "<tr><td><a href=\"{0}/tree/{1}\"><code>{2}</code></a></td><td>{3}</td>"
        "<td class=\"muted\">{4}</td><td class=\"muted\">{5}</td></tr>\n",
        page, commit.oid, commit.oid.substr(0, 8), EscapeHtml(commit.title),
        EscapeHtml(commit.author), IsoTime(commit.created_at).substr(0, 10));
  }
  return out + "</table>\n";
}

std::string FactsOf(const Call& call, const Card& card, const PageLanguage& language) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format("<span class=\"tag\">{}{}</span>", name, EscapeHtml(value));
  };
  add(language.Say("licence: ", "라이선스: "), card.First("license"));
  add("", card.First("pipeline_tag"));
  for (const std::string& spoken : card.All("language")) add("", spoken);
  for (const std::string& tag : card.All("tags")) add("", tag);
  if (call.repository->is_private) add("", language.Say("private", "비공개"));
  if (!call.repository->gated.empty()) {
    add("", language.Say("gated: ask for access", "승인 필요: 접근을 요청하세요"));
  }
  return "<p class=\"facts\">" + out + "</p>\n";
}

// What `jikji eval` measured, where the repository holds its report.
std::string ScoresOf(const Call& call, const Listing& listing, const PageLanguage& language) {
  const auto report = TextIn(call.hub, listing, kReportFile, kMaxReportBytes);
  if (!report) return {};
  const std::string table =
      ScoresTable(*report, {language.Say("Task", "과제"), language.Say("Score", "점수"),
                            language.Say("95 % interval", "95 % 구간"),
                            language.Say("Items", "문항"), language.Say("Perplexity", "혼란도")});
  if (table.empty()) return {};
  return Heading(language.Say("Scores, as its report says", "보고서에 적힌 점수")) + table;
}

// How a caller who may not read the files comes to read them; empty for who may.
HttpResult<std::string> AccessOf(Call& call, const PageLanguage& language) {
  JIKJI_ASSIGN(const bool may, MayRead(call.database, call.account, *call.repository));
  if (may) return std::string();
  if (call.account.name.empty()) {
    return fmt::format("<p><a href=\"/sign-in?to={}\">{}</a></p>\n", UrlEscape(call.request.path),
                       language.Say("Sign in to ask for its files", "로그인하고 파일 요청하기"));
  }
  JIKJI_ASSIGN(const auto requests, ListAccess(call.database, *call.repository));
  for (const AccessRequest& request : requests) {
    if (request.account != call.account.name) continue;
    return fmt::format("<p>{}</p>\n", language.Say("You asked for its files; its owner decides.",
                                                   "파일을 요청했습니다. 소유자가 정합니다."));
  }
  return fmt::format("<form method=\"post\" action=\"/{}/ask-access\"><button>{}</button></form>\n",
                     call.repository->name, language.Say("Ask for its files", "파일 요청하기"));
}

}  // namespace

// `rest` is empty, or a revision.
HttpResult<net::Response> ModelPage(Call& call) {
  const PageLanguage language(call.request);
  std::string_view revision = call.rest.empty() ? "main" : call.rest;
  JIKJI_ASSIGN(const Commit tip, TakeRevision(call, revision));
  if (!revision.empty()) return std::unexpected(RevisionNotFound(call.rest));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, tip.tree));
  const Card card = CardIn(call.hub, *listing);
  const std::string& name = call.repository->name;
  const std::string page =
      (call.kind == "model" ? "/" : "/" + call.kind + "s/") + name;  // letters, digits, `-_.`
  const std::string files = page + "/resolve/" + tip.oid + "/";

  std::string body = fmt::format("<h1>{}</h1>\n", EscapeHtml(name)) + FactsOf(call, card, language);
  JIKJI_ASSIGN(const std::string access, AccessOf(call, language));
  body += access;
  if (call.kind == "model") {
    body += Heading(language.Say("Use it", "사용하기")) + UseOf(call, *listing);
  }
  if (!card.body.empty()) body += "<article>" + RenderMarkdown(card.body, files) + "</article>\n";
  if (access.empty()) body += ScoresOf(call, *listing, language);
  std::set<std::string> told = {name};
  JIKJI_ASSIGN(const std::string lineage, LineageOf(call, card, told));
  if (!lineage.empty()) {
    body += Heading(language.Say("Made from, as its card says", "카드에 적힌 바탕 모델")) + lineage;
  }
  JIKJI_ASSIGN(const std::string found, FoundOf(call, tip, language));
  if (!found.empty()) {
    body += Heading(language.Say("Lineage, as its weights say", "가중치로 확인한 계보")) + found;
  }
  body += Heading(language.Say("Files", "파일")) + FilesOf(*listing, files, language);
  JIKJI_ASSIGN(const std::string revisions, RevisionsOf(call, tip, page));
  body += Heading(language.Say("Revisions", "리비전")) + revisions;
  return PageOf(call, language, name, body);
}

}  // namespace jikji::hub
