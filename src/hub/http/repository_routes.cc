#include <set>

#include "base/json.h"
#include "hub/http/routes.h"
#include "hub/http/visible.h"
#include "hub/names.h"

namespace jikji::hub {
namespace json = boost::json;

namespace {

// The repository that a body names: `organization` and `name`, or both in `name`.
HttpResult<std::string> NameIn(const Call& call, const json::object& body) {
  JIKJI_ASSIGN(const auto name, OptionalString(body, "name"));
  JIKJI_ASSIGN(const auto organisation, OptionalString(body, "organization"));
  if (!name) return std::unexpected(BadRequest("`name` is missing", "`name`이 없습니다"));
  if (name->find('/') != std::string::npos) return *name;
  return organisation.value_or(call.account.name) + "/" + *name;
}

HttpResult<std::string> KindIn(const json::object& body) {
  JIKJI_ASSIGN(const auto type, OptionalString(body, "type"));
  const std::string kind = type.value_or("model");
  if (!KindOf(kind + "s").empty()) return kind;
  return std::unexpected(BadRequest("`type` is model, dataset or space",
                                    "`type`은 model, dataset, space 중 하나입니다"));
}

HttpResult<std::monostate> MustOwn(const Call& call, std::string_view name) {
  if (call.account.role >= AccountRole::kWrite && Owns(call.account, name)) return {};
  if (call.account.name.empty()) return std::unexpected(NeedsToken());
  return std::unexpected(MayNotWrite(name));
}

std::string PageOf(const Call& call, const Repository& repository) {
  const std::string prefix = repository.kind == "model" ? "/" : "/" + repository.kind + "s/";
  return call.base_url + prefix + repository.name;
}

json::array StringsOf(const std::vector<std::string>& values) {
  json::array out;
  for (const std::string& value : values) out.emplace_back(value);
  return out;
}

// What lists and pages tell of a repository without its files.
json::object Summary(const Repository& repository, const Commit& tip, const Card& card) {
  json::array tags = StringsOf(card.All("tags"));
  for (const std::string& language : card.All("language")) tags.emplace_back(language);
  if (!card.First("license").empty()) tags.emplace_back("license:" + card.First("license"));
  for (const std::string& base : card.All("base_model")) tags.emplace_back("base_model:" + base);
  json::object out{
      {"_id", std::to_string(repository.id)},
      {"id", repository.name},
      {"modelId", repository.name},
      {"author", OwnerOf(repository.name)},
      {"sha", tip.oid},
      {"private", repository.is_private},
      {"gated", repository.gated.empty() ? json::value(false) : json::value(repository.gated)},
      {"disabled", false},
      {"downloads", 0},
      {"likes", 0},
      {"tags", std::move(tags)},
      {"createdAt", IsoTime(repository.created_at)},
      {"lastModified", IsoTime(tip.created_at)}};
  for (const char* key : {"pipeline_tag", "library_name"}) {
    if (const std::string value = card.First(key); !value.empty()) out[key] = value;
  }
  return out;
}

bool HasTag(const json::object& summary, const std::string& filter) {
  for (const json::value& tag : summary.at("tags").as_array()) {
    if (tag == json::value(filter)) return true;
  }
  const json::value* library = summary.if_contains("library_name");
  return library != nullptr && *library == json::value(filter);
}

}  // namespace

HttpResult<net::Response> CreateRepo(Call& call) {
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const std::string name, NameIn(call, body));
  JIKJI_ASSIGN(const std::string kind, KindIn(body));
  JIKJI_ASSIGN(std::ignore, MustOwn(call, name));
  JIKJI_ASSIGN(const auto is_private, OptionalBool(body, "private"));
  JIKJI_ASSIGN(const auto visibility, OptionalString(body, "visibility"));
  JIKJI_ASSIGN(
      const Created created,
      CreateRepository(call.database, kind, name,
                       is_private.value_or(false) || visibility == "private", call.account.name));
  json::object out{{"url", PageOf(call, created.repository)},
                   {"name", created.repository.name},
                   {"id", std::to_string(created.repository.id)}};
  if (!created.existed) {
    call.deed = Deed{"hub_repository.created",
                     created.repository.name,
                     {{"kind", kind}, {"private", created.repository.is_private}}};
    return JsonResponse(out);
  }
  out["error"] = "the repository exists already / 저장소가 이미 있습니다";
  net::Response response = JsonResponse(out, 409);
  response.headers.emplace_back("X-Error-Message", "the repository exists already");
  return response;
}

HttpResult<net::Response> DeleteRepo(Call& call) {
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const std::string name, NameIn(call, body));
  JIKJI_ASSIGN(const std::string kind, KindIn(body));
  JIKJI_ASSIGN(call.repository, SeeRepository(call, kind, name));
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  JIKJI_RETURN_IF_ERROR(DeleteRepository(call.database, call.repository->id));
  call.deed = Deed{"hub_repository.deleted", call.repository->name, {{"kind", kind}}};
  return JsonResponse(json::object{});
}

HttpResult<net::Response> MoveRepo(Call& call) {
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto from, OptionalString(body, "fromRepo"));
  JIKJI_ASSIGN(const auto to, OptionalString(body, "toRepo"));
  JIKJI_ASSIGN(const std::string kind, KindIn(body));
  JIKJI_ASSIGN(call.repository, SeeRepository(call, kind, from.value_or("")));
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  JIKJI_ASSIGN(std::ignore, MustOwn(call, to.value_or("")));
  if (const auto taken = FindRepository(call.database, kind, to.value_or(""));
      taken && taken->id != call.repository->id) {
    return std::unexpected(
        HttpError(409, "", "a repository of that name exists", "그 이름의 저장소가 이미 있습니다"));
  }
  JIKJI_RETURN_IF_ERROR(MoveRepository(call.database, call.repository->id, to.value_or("")));
  call.deed = Deed{"hub_repository.moved", call.repository->name, {{"to", to.value_or("")}}};
  return JsonResponse(json::object{});
}

HttpResult<net::Response> RepoSettings(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto is_private, OptionalBool(body, "private"));
  JIKJI_ASSIGN(const auto visibility, OptionalString(body, "visibility"));
  Repository& repository = *call.repository;
  if (is_private) repository.is_private = *is_private;
  if (visibility) repository.is_private = *visibility == "private";
  if (const json::value* gated = body.if_contains("gated")) {
    const bool named = gated->is_string();
    repository.gated = named ? std::string(gated->as_string()) : "";
    if (named && repository.gated != "auto" && repository.gated != "manual") {
      return std::unexpected(BadRequest("`gated` is false, \"auto\" or \"manual\"",
                                        "`gated`는 false, \"auto\", \"manual\" 중 하나입니다"));
    }
  }
  JIKJI_RETURN_IF_ERROR(UpdateRepository(call.database, repository));
  call.deed = Deed{"hub_repository.updated",
                   repository.name,
                   {{"private", repository.is_private}, {"gated", repository.gated}}};
  return JsonResponse(
      json::object{{"private", repository.is_private}, {"gated", repository.gated}});
}

HttpResult<net::Response> ListRepos(Call& call) {
  const FormFields query = ParseForm(call.request.query);
  json::array out;
  JIKJI_ASSIGN(const VisiblePage page, ListVisible(call, query, [&](const Visible& item) {
                 json::object summary = Summary(item.repository, item.tip, item.card);
                 for (const auto& [name, value] : query) {
                   if (name == "filter" && !HasTag(summary, value)) return false;
                 }
                 out.push_back(std::move(summary));
                 return true;
               }));
  net::Response response = JsonResponse(out);
  if (!page.next.empty()) {
    FormFields next;
    for (const auto& field : query) {
      if (field.first != "cursor") next.push_back(field);
    }
    next.emplace_back("cursor", page.next);
    AddNextLink(call, next, response);
  }
  return response;
}

HttpResult<net::Response> RepoInfo(Call& call) {
  std::string_view revision = call.rest.empty() ? "main" : call.rest;
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, revision));
  if (!revision.empty()) return std::unexpected(RevisionNotFound(call.rest));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  const Card card = CardIn(call.hub, *listing);
  const FormFields query = ParseForm(call.request.query);
  const bool with_blobs = FieldOf(query, "blobs") == "true" || FieldOf(query, "blobs") == "True" ||
                          FieldOf(query, "blobs") == "1";
  json::object out = Summary(*call.repository, commit, card);
  json::array siblings;
  for (const auto& [path, file] : *listing) {
    json::object sibling{{"rfilename", path}};
    if (with_blobs) {
      sibling["size"] = file.size;
      sibling["blobId"] = file.oid;
      if (file.large) {
        sibling["lfs"] = json::object{{"sha256", HexOf(file.digest)},
                                      {"size", file.size},
                                      {"pointerSize", PointerSize(file)}};
      }
    }
    siblings.push_back(std::move(sibling));
  }
  out["siblings"] = std::move(siblings);
  json::object data;
  for (const auto& [key, values] : card.fields) {
    if (values.size() == 1) {
      data[key] = values.front();
    } else if (!values.empty()) {
      data[key] = StringsOf(values);
    }
  }
  out["cardData"] = std::move(data);
  JIKJI_ASSIGN(const uint64_t used, UsedBytes(call.database, call.repository->id));
  out["usedStorage"] = used;
  return JsonResponse(out);
}

}  // namespace jikji::hub
