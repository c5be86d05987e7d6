// Bills of materials: what a revision of a model holds, whose it is and what it was made from, for
// those who keep inventories.
//
// Contract: the same revision gives the same bytes, whoever asks and when: times are the commit's,
// identifiers are made from repository and commit. What is told of ancestors is what the card
// claims, with what `jikji hub lineage` found where it was run. Non-goals: data sets of the
// training, what runs the model.
#ifndef JIKJI_HUB_BOM_BOM_H_
#define JIKJI_HUB_BOM_BOM_H_

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/card.h"
#include "hub/commits.h"
#include "hub/hub.h"
#include "hub/lineage/lineage.h"
#include "hub/repositories.h"

namespace jikji::hub {

struct BomSource {
  Repository repository;
  Commit commit;
  Card card;
  std::shared_ptr<const Listing> files;
  std::vector<Ancestor> lineage;
  std::string download;  // the URL of the revision, as `--url` of the hub says
};

// `url`: of the hub, as those who read the bill reach it.
Result<BomSource> ReadBomSource(Hub& hub, Database& database, const Repository& repository,
                                const Commit& commit, const std::string& url);

// SPDX 3.0.1 with the profiles Core, Software, SimpleLicensing and AI, as JSON-LD.
boost::json::object SpdxOf(const BomSource& source);
// CycloneDX 1.6.
boost::json::object CycloneDxOf(const BomSource& source);

// A licence as SPDX writes it; cards name it in lower case. Empty: the list has none of that name.
std::string SpdxLicence(std::string_view card_name);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_BOM_BOM_H_
