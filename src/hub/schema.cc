#include "hub/schema.h"

#include "store/migrations.h"

namespace jikji::hub {
namespace {

// Times are seconds since 1970 UTC; digests are SHA-256, ids are git's, both hexadecimal.
constexpr Migration kSteps[] = {
    R"(
CREATE TABLE repositories (
  id @ID, kind @TEXT NOT NULL, name @TEXT NOT NULL,
  folded @TEXT NOT NULL, -- the name in lower case
  private @INTEGER NOT NULL,
  gated @TEXT NOT NULL, -- empty, `auto` or `manual`
  created_at @INTEGER NOT NULL, UNIQUE (kind, folded)) @STRICT;

CREATE TABLE trees (oid @TEXT PRIMARY KEY, entries @TEXT NOT NULL) @STRICT;

CREATE TABLE commits ( -- never changed
  repository @INTEGER NOT NULL REFERENCES repositories (id), oid @TEXT NOT NULL,
  tree @TEXT NOT NULL, parent @TEXT NOT NULL, -- empty: the first
  title @TEXT NOT NULL, message @TEXT NOT NULL, author @TEXT NOT NULL, created_at @INTEGER NOT NULL,
  PRIMARY KEY (repository, oid)) @STRICT;

CREATE TABLE refs (
  repository @INTEGER NOT NULL REFERENCES repositories (id),
  kind @TEXT NOT NULL, -- `branch` or `tag`
  name @TEXT NOT NULL, target @TEXT NOT NULL, message @TEXT NOT NULL,
  PRIMARY KEY (repository, kind, name)) @STRICT;

CREATE TABLE blobs (digest @TEXT PRIMARY KEY, size @INTEGER NOT NULL) @STRICT; -- that are stored

CREATE TABLE repository_blobs ( -- that any commit of a repository holds
  repository @INTEGER NOT NULL REFERENCES repositories (id),
  digest @TEXT NOT NULL REFERENCES blobs (digest), PRIMARY KEY (repository, digest)) @STRICT;
CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest);

CREATE TABLE leases ( -- kept for an owner who has shown the bytes and may commit them
  digest @TEXT NOT NULL REFERENCES blobs (digest), owner @TEXT NOT NULL, until @INTEGER NOT NULL,
  PRIMARY KEY (digest, owner)) @STRICT;

CREATE TABLE quotas (owner @TEXT PRIMARY KEY, bytes @INTEGER NOT NULL) @STRICT;

CREATE TABLE accounts (
  name @TEXT PRIMARY KEY, role @TEXT NOT NULL, -- `read`, `write` or `admin`
  owners @TEXT NOT NULL, -- owners whose repositories are this account's too, with commas between
  digest @TEXT NOT NULL UNIQUE, -- SHA-256 of its token
  created_at @INTEGER NOT NULL) @STRICT;

CREATE TABLE grants ( -- who may read a gated repository
  repository @INTEGER NOT NULL REFERENCES repositories (id), account @TEXT NOT NULL,
  granted @INTEGER NOT NULL, -- 0: asked for
  PRIMARY KEY (repository, account)) @STRICT;

CREATE TABLE secrets (name @TEXT PRIMARY KEY, value @TEXT NOT NULL) @STRICT;
)",
    R"(
CREATE TABLE pieces ( -- what the pieces of a blob hash to, one behind the other
  digest @TEXT PRIMARY KEY REFERENCES blobs (digest), sha256 @TEXT NOT NULL) @STRICT;
)",
    R"(
CREATE TABLE lineages ( -- what was found of a commit's ancestors: lineage/lineage.h
  repository @INTEGER NOT NULL REFERENCES repositories (id), oid @TEXT NOT NULL,
  found @TEXT NOT NULL, PRIMARY KEY (repository, oid)) @STRICT;
)",
    R"(
CREATE TABLE mirrored ( -- what of another hub a branch or tag was last: mirror/mirror.h
  repository @INTEGER NOT NULL REFERENCES repositories (id), kind @TEXT NOT NULL,
  name @TEXT NOT NULL,
  source @TEXT NOT NULL, -- the commit there
  target @TEXT NOT NULL, -- the commit here
  PRIMARY KEY (repository, kind, name)) @STRICT;
)",
    R"(
CREATE TABLE oci_documents ( -- manifests and configurations that were told: oci/image.h
  repository @INTEGER NOT NULL REFERENCES repositories (id), digest @TEXT NOT NULL,
  source @TEXT NOT NULL, -- what it was made of; empty for a configuration
  media_type @TEXT NOT NULL, content @TEXT NOT NULL, PRIMARY KEY (repository, digest)) @STRICT;
CREATE INDEX oci_documents_by_source ON oci_documents (repository, source);
)",
    R"(
CREATE TABLE compact_blobs ( -- stored as differences to plain blobs: compact/compact.h
  digest @TEXT NOT NULL REFERENCES blobs (digest),
  source @TEXT NOT NULL REFERENCES blobs (digest), -- that stays, and stays plain, for it
  PRIMARY KEY (digest, source)) @STRICT;
CREATE INDEX compact_blobs_by_source ON compact_blobs (source);
)",
    R"(
CREATE TABLE damaged_blobs ( -- as fsck found them, until they are pushed again or found whole
  digest @TEXT PRIMARY KEY REFERENCES blobs (digest)) @STRICT;
)"};

}  // namespace

Result<> MigrateHub(Database& database) { return Migrate(database, "hub", kSteps); }

}  // namespace jikji::hub
