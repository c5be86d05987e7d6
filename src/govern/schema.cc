#include "govern/schema.h"

#include "store/migrations.h"

namespace jikji {
namespace {

// Times are seconds since 1970 UTC, money is nano-units. Nothing is ever deleted from the tree:
// what a usage row or an audit record names must stay findable.
constexpr Migration kSteps[] = {
    R"(
CREATE TABLE organisations (
  id @ID, name @TEXT NOT NULL UNIQUE, currency @TEXT NOT NULL,
  created_at @INTEGER NOT NULL, archived_at @INTEGER) @STRICT;

CREATE TABLE projects (
  id @ID, organisation @INTEGER NOT NULL REFERENCES organisations (id), name @TEXT NOT NULL,
  models @TEXT NOT NULL, -- names with commas between; empty: every model
  created_at @INTEGER NOT NULL, archived_at @INTEGER,
  UNIQUE (organisation, name)) @STRICT;

CREATE TABLE service_accounts (
  id @ID, project @INTEGER NOT NULL REFERENCES projects (id), name @TEXT NOT NULL,
  created_at @INTEGER NOT NULL, UNIQUE (project, name)) @STRICT;

CREATE TABLE api_keys (
  id @ID,
  organisation @INTEGER REFERENCES organisations (id), -- NULL: an operator's
  project @INTEGER REFERENCES projects (id),           -- NULL: not of one project
  service_account @INTEGER REFERENCES service_accounts (id),
  name @TEXT NOT NULL, role @TEXT NOT NULL,
  prefix @TEXT NOT NULL UNIQUE, digest @TEXT NOT NULL,
  models @TEXT NOT NULL, networks @TEXT NOT NULL, -- as above; empty: from everywhere
  created_at @INTEGER NOT NULL, expires_at @INTEGER, revoked_at @INTEGER) @STRICT;

CREATE TABLE prices ( -- for one token, from a moment on
  model @TEXT NOT NULL, currency @TEXT NOT NULL, valid_from @INTEGER NOT NULL,
  input @INTEGER NOT NULL, cached @INTEGER NOT NULL, output @INTEGER NOT NULL,
  PRIMARY KEY (model, currency, valid_from)) @STRICT;

CREATE TABLE budgets (
  id @ID, scope_kind @TEXT NOT NULL, scope_id @INTEGER NOT NULL, span @TEXT NOT NULL,
  hard @INTEGER NOT NULL, amount @INTEGER NOT NULL,
  UNIQUE (scope_kind, scope_id, span)) @STRICT;

CREATE TABLE budget_slices ( -- of one window, what each server may spend and has spent
  budget @INTEGER NOT NULL REFERENCES budgets (id), window_start @INTEGER NOT NULL,
  server @TEXT NOT NULL, granted @INTEGER NOT NULL, settled @INTEGER NOT NULL,
  PRIMARY KEY (budget, window_start, server)) @STRICT;

CREATE TABLE rate_limits ( -- NULL: none
  scope_kind @TEXT NOT NULL, scope_id @INTEGER NOT NULL,
  model @TEXT NOT NULL, -- empty: over all models
  requests_per_minute @INTEGER, tokens_per_minute @INTEGER, concurrent_requests @INTEGER,
  PRIMARY KEY (scope_kind, scope_id, model)) @STRICT;

CREATE TABLE stops ( -- emergency stops in force
  kind @TEXT NOT NULL, name @TEXT NOT NULL, reason @TEXT NOT NULL, since @INTEGER NOT NULL,
  PRIMARY KEY (kind, name)) @STRICT;

CREATE TABLE usage ( -- what the finance team adds up; prices are those of admission
  minute @INTEGER NOT NULL, organisation @INTEGER NOT NULL, project @INTEGER NOT NULL,
  api_key @INTEGER NOT NULL, model @TEXT NOT NULL, currency @TEXT NOT NULL,
  input_price @INTEGER NOT NULL, cached_price @INTEGER NOT NULL, output_price @INTEGER NOT NULL,
  requests @INTEGER NOT NULL, input_tokens @INTEGER NOT NULL, cached_tokens @INTEGER NOT NULL,
  output_tokens @INTEGER NOT NULL, cost @INTEGER NOT NULL,
  PRIMARY KEY (minute, organisation, project, api_key, model, currency,
               input_price, cached_price, output_price)) @STRICT;

CREATE TABLE servers ( -- how far the journal of each has been written into the tables above
  id @TEXT PRIMARY KEY, batch @INTEGER NOT NULL) @STRICT;

CREATE TABLE governance (name @TEXT PRIMARY KEY, number @INTEGER NOT NULL, note @TEXT NOT NULL) @STRICT;
INSERT INTO governance (name, number, note) VALUES ('generation', 1, '');
)",
    R"(
CREATE TABLE acts ( -- of administration, on their way to each server's audit log
  id @ID, at @INTEGER NOT NULL, actor @TEXT NOT NULL,
  organisation @INTEGER NOT NULL, -- 0: the site's
  event @TEXT NOT NULL, target @TEXT NOT NULL, detail @TEXT NOT NULL) @STRICT;

CREATE TABLE recorded_acts ( -- the last act that a server has in its audit log
  server @TEXT PRIMARY KEY, act @INTEGER NOT NULL) @STRICT;
)",
    R"(
ALTER TABLE organisations ADD COLUMN grade @TEXT NOT NULL DEFAULT 'O'; -- grade.h
ALTER TABLE api_keys ADD COLUMN grade @TEXT NOT NULL DEFAULT 'O';
ALTER TABLE projects ADD COLUMN service_class @TEXT NOT NULL DEFAULT 'standard';
CREATE TABLE model_grades (
  model @TEXT PRIMARY KEY, clearance @TEXT NOT NULL, content @TEXT NOT NULL) @STRICT;

CREATE TABLE customers ( -- customers.h
  organisation @INTEGER NOT NULL REFERENCES organisations (id), version @INTEGER NOT NULL,
  legal_name @TEXT NOT NULL, business_number @TEXT NOT NULL, headquarters @TEXT NOT NULL,
  parent @TEXT NOT NULL, screening_list @TEXT NOT NULL, screening_result @TEXT NOT NULL,
  screened_by @TEXT NOT NULL, end_use @TEXT NOT NULL, filed_by @TEXT NOT NULL,
  filed_at @INTEGER NOT NULL, PRIMARY KEY (organisation, version)) @STRICT;

CREATE TABLE customer_approvals (
  organisation @INTEGER NOT NULL, version @INTEGER NOT NULL, approver @TEXT NOT NULL,
  at @INTEGER NOT NULL, PRIMARY KEY (organisation, version, approver)) @STRICT;
)",
    R"(
CREATE TABLE users ( -- people who log in; their session is their key (login/login.h)
  id @ID, email @TEXT NOT NULL UNIQUE, issuer @TEXT, subject @TEXT, -- NULL before the first login
  api_key @INTEGER NOT NULL REFERENCES api_keys (id), UNIQUE (issuer, subject)) @STRICT;
)",
    R"(
ALTER TABLE budgets ADD COLUMN removed_at @INTEGER; -- its windows are still charged
)"};

}  // namespace

Result<> MigrateGovernance(Database& database) { return Migrate(database, "govern", kSteps); }

}  // namespace jikji
