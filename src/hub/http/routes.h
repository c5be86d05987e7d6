// What each route of a hub does; site.cc finds the route.
#ifndef JIKJI_HUB_HTTP_ROUTES_H_
#define JIKJI_HUB_HTTP_ROUTES_H_

#include <memory>

#include "hub/http/call.h"

namespace jikji::hub {

// account_routes.cc
HttpResult<net::Response> WhoAmI(Call& call);
HttpResult<net::Response> AuthCheck(Call& call);
HttpResult<net::Response> AccessRequests(Call& call);
HttpResult<net::Response> AskForAccess(Call& call);

// repository_routes.cc
HttpResult<net::Response> CreateRepo(Call& call);
HttpResult<net::Response> DeleteRepo(Call& call);
HttpResult<net::Response> MoveRepo(Call& call);
HttpResult<net::Response> RepoSettings(Call& call);
HttpResult<net::Response> ListRepos(Call& call);
HttpResult<net::Response> RepoInfo(Call& call);

// tree_routes.cc
HttpResult<net::Response> RepoTree(Call& call);
HttpResult<net::Response> PathsInfo(Call& call);

// ref_routes.cc
HttpResult<net::Response> RepoRefs(Call& call);
HttpResult<net::Response> RepoCommits(Call& call);
HttpResult<net::Response> RepoBranch(Call& call);
HttpResult<net::Response> RepoTag(Call& call);
HttpResult<net::Response> SuperSquash(Call& call);

// commit_routes.cc
HttpResult<net::Response> ValidateYaml(Call& call);
HttpResult<net::Response> Preupload(Call& call);
HttpResult<net::Response> PostCommit(Call& call);

// lfs_routes.cc
HttpResult<net::Response> LfsBatch(Call& call);
HttpResult<net::Response> LfsVerify(Call& call);
HttpResult<net::Response> LfsUpload(Call& call);
HttpResult<net::Response> LfsComplete(Call& call);

// resolve_routes.cc
HttpResult<net::Response> ResolveFile(Call& call);
HttpResult<net::Response> GetObject(Call& call);

// piece_routes.cc
HttpResult<net::Response> RepoPieces(Call& call);

// pages/
HttpResult<net::Response> ListPage(Call& call);
HttpResult<net::Response> ModelPage(Call& call);
HttpResult<net::Response> SignIn(Call& call);
HttpResult<net::Response> SignOut(Call& call);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_ROUTES_H_
