// What each route does; the table in route_table.cc names them.
#ifndef JIKJI_API_HANDLERS_H_
#define JIKJI_API_HANDLERS_H_

#include "api/route_table.h"

namespace jikji {

// status_routes.cc
void GetHealth(Call& call);
void GetVersion(Call& call);
void GetMetrics(Call& call);

// model_routes.cc
void ListModels(Call& call);
void GetModel(Call& call);

// generation_routes.cc
void PostChatCompletions(Call& call);
void PostCompletions(Call& call);

// login_routes.cc
void BeginLogin(Call& call);
void FinishLogin(Call& call);
void EndLogin(Call& call);

// text_routes.cc
void PostTokenize(Call& call);
void PostDetokenize(Call& call);

// organization_projects.cc
void OrganizationProjects(Call& call);

// organization_audit.cc
void OrganizationAuditLogs(Call& call);

// organization_usage.cc
void OrganizationUsage(Call& call);
void OrganizationCosts(Call& call);

}  // namespace jikji

#endif  // JIKJI_API_HANDLERS_H_
