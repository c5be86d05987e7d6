// A revision in one signed file, across an air gap.
//
// Contract: an import stores nothing before the signature is good, every byte is what was signed,
// and every file would have passed the hub's door. It gives the commit the id it had, so that who
// knows the id knows the files. The ids of its ancestors come along, so that a later revision of a
// model may follow an earlier one; their files stay behind. A killed import leaves the branch as it
// was, and bytes that wait for their commit; it can be run again. The same revision gives the same
// file but for the signature. Non-goals: data sets and spaces, several revisions in one file.
#ifndef JIKJI_HUB_BUNDLE_BUNDLE_H_
#define JIKJI_HUB_BUNDLE_BUNDLE_H_

#include <filesystem>
#include <string>

#include "base/error.h"
#include "hub/bundle/header.h"
#include "hub/hub.h"
#include "hub/repositories.h"
#include "hub/signing/signature.h"

namespace jikji::hub {

// The file appears whole or not at all.
Result<BundleHeader> ExportBundle(Hub& hub, Database& database, const Repository& repository,
                                  const Commit& commit, const std::filesystem::path& out,
                                  const SigningKey& key);

// Makes the repository where it is absent; private then. `branch` moves to the commit where it is
// at one of the commit's ancestors or at the empty commit that a repository begins with, or is
// absent; else kInvalidArgument.
Result<BundleHeader> ImportBundle(Hub& hub, Database& database, const std::filesystem::path& file,
                                  const TrustAnchor& trust, const std::string& branch);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_BUNDLE_BUNDLE_H_
