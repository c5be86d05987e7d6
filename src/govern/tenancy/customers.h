// Who a customer is: the file of an organisation, filed by one person and approved by two others,
// before its first key.
//
// Each act is done with an operator's key, which says who did it. A file that is filed anew starts
// without approvals, and no new key is made until it has them again; keys that there are stay.
// Non-goals: screening lists themselves (the file says which was used and what it said).
#ifndef JIKJI_GOVERN_TENANCY_CUSTOMERS_H_
#define JIKJI_GOVERN_TENANCY_CUSTOMERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "govern/tenancy/acts.h"
#include "govern/tenancy/api_key.h"
#include "store/database.h"

namespace jikji {

struct CustomerFile {
  std::string legal_name;
  std::string business_number;  // ten digits, or with hyphens; its checksum is right
  // ISO 3166-1 alpha-2: of the headquarters, and of the ultimate parent's.
  std::string headquarters, parent;
  std::string screening_list;    // name and version
  std::string screening_result;  // "clear", or what was found
  std::string screened_by;
  std::string end_use;  // what the chips are used for, as stated
};

struct FiledCustomer : CustomerFile {
  int64_t organisation = 0;
  int64_t version = 0;  // counts from 1
  std::string filed_by;
  int64_t filed_at = 0;
  std::vector<std::string> approvers;  // of this version
  bool approved() const;
};

// What must be right of a file by itself.
Result<> CheckCustomerFile(const CustomerFile& file);

// "key_3 Kim": whose operator key this is; kUnauthenticated where it is none that works now.
Result<std::string> PersonOf(Database& database, const KeyHasher& hasher, std::string_view secret,
                             int64_t now);

// Within a transaction that the caller commits with the act.
Result<Act> FileCustomer(Database& database, int64_t organisation, const CustomerFile& file,
                         const std::string& person, int64_t now);
Result<Act> ApproveCustomer(Database& database, int64_t organisation, const std::string& person,
                            int64_t now);
// Whether keys ask for an approved file, on this site.
Result<Act> RequireCustomerFiles(Database& database, bool required);
Result<bool> CustomerFilesRequired(Database& database);

Result<std::optional<FiledCustomer>> ReadCustomer(Database& database, int64_t organisation);

// kPermissionDenied: files are required, and this organisation has no approved one.
Result<> CheckCustomer(Database& database, int64_t organisation);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_CUSTOMERS_H_
