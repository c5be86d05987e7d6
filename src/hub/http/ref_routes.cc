#include "base/json.h"
#include "hub/http/routes.h"

namespace jikji::hub {
namespace json = boost::json;

namespace {

constexpr size_t kCommitsPerPage = 50;

// Where a new branch or tag shall point.
HttpResult<Commit> StartOf(Call& call, const std::optional<std::string>& revision) {
  std::string_view name = revision ? std::string_view(*revision) : "main";
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, name));
  if (!name.empty()) return std::unexpected(RevisionNotFound(*revision));
  return commit;
}

HttpResult<net::Response> MakeRef(Call& call, Ref ref) {
  auto made = CreateRef(call.database, call.repository->id, ref);
  if (made) {
    call.deed = Deed{ref.kind == "tag" ? "hub_tag.created" : "hub_branch.created",
                     call.repository->name,
                     {{"name", ref.name}, {"commit", ref.target}}};
    return JsonResponse(json::object{});
  }
  HttpError error(made.error());
  // Clients pass over what exists already where they are asked to, and know it by 409.
  if (made.error().message == "it exists already") error.status = 409;
  return std::unexpected(std::move(error));
}

}  // namespace

HttpResult<net::Response> RepoRefs(Call& call) {
  JIKJI_ASSIGN(const std::vector<Ref> refs, ListRefs(call.database, call.repository->id));
  json::array branches;
  json::array tags;
  for (const Ref& ref : refs) {
    const bool branch = ref.kind == "branch";
    (branch ? branches : tags)
        .push_back(json::object{{"name", ref.name},
                                {"ref", (branch ? "refs/heads/" : "refs/tags/") + ref.name},
                                {"targetCommit", ref.target}});
  }
  return JsonResponse(json::object{
      {"branches", std::move(branches)}, {"converts", json::array()}, {"tags", std::move(tags)}});
}

HttpResult<net::Response> RepoCommits(Call& call) {
  std::string_view revision = call.rest;
  JIKJI_ASSIGN(const Commit tip, TakeRevision(call, revision));
  const FormFields query = ParseForm(call.request.query);
  JIKJI_ASSIGN(const size_t page, NumberOf(query, "p", 0, 1'000'000));
  JIKJI_ASSIGN(size_t limit, NumberOf(query, "limit", kCommitsPerPage, 1000));
  limit = std::max<size_t>(1, limit);
  JIKJI_ASSIGN(std::vector<Commit> commits,
               History(call.database, call.repository->id, tip.oid, page * limit, limit + 1));
  const bool more = commits.size() > limit;
  if (more) commits.pop_back();
  json::array out;
  for (const Commit& commit : commits) {
    out.push_back(json::object{{"id", commit.oid},
                               {"title", commit.title},
                               {"message", commit.message},
                               {"authors", {{{"user", commit.author}}}},
                               {"date", IsoTime(commit.created_at)}});
  }
  net::Response response = JsonResponse(out);
  if (more) {
    AddNextLink(call, {{"p", std::to_string(page + 1)}, {"limit", std::to_string(limit)}},
                response);
  }
  return response;
}

HttpResult<net::Response> RepoBranch(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  const std::string name(call.rest);
  if (call.request.method == "DELETE") {
    JIKJI_RETURN_IF_ERROR(DeleteRef(call.database, call.repository->id, "branch", name));
    call.deed = Deed{"hub_branch.deleted", call.repository->name, {{"name", name}}};
    return JsonResponse(json::object{});
  }
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto start, OptionalString(body, "startingPoint"));
  JIKJI_ASSIGN(const Commit commit, StartOf(call, start));
  return MakeRef(call, {"branch", name, commit.oid, ""});
}

// POST tag/{revision} {tag, message}; DELETE tag/{tag}.
HttpResult<net::Response> RepoTag(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  if (call.request.method == "DELETE") {
    JIKJI_RETURN_IF_ERROR(
        DeleteRef(call.database, call.repository->id, "tag", std::string(call.rest)));
    call.deed = Deed{"hub_tag.deleted", call.repository->name, {{"name", call.rest}}};
    return JsonResponse(json::object{});
  }
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto name, OptionalString(body, "tag"));
  JIKJI_ASSIGN(const auto message, OptionalString(body, "message"));
  JIKJI_ASSIGN(const Commit commit, StartOf(call, std::string(call.rest)));
  return MakeRef(call, {"tag", name.value_or(""), commit.oid, message.value_or("")});
}

HttpResult<net::Response> SuperSquash(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto message, OptionalString(body, "message"));
  JIKJI_ASSIGN(const std::string oid,
               SquashBranch(call.database, call.repository->id, std::string(call.rest),
                            message.value_or("squash history"), call.account.name));
  call.deed =
      Deed{"hub_branch.squashed", call.repository->name, {{"name", call.rest}, {"commit", oid}}};
  return JsonResponse(json::object{{"commitOid", oid}});
}

}  // namespace jikji::hub
