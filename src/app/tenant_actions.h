// What `jikji tenant ACTION` does.
#ifndef JIKJI_APP_TENANT_ACTIONS_H_
#define JIKJI_APP_TENANT_ACTIONS_H_

#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/console.h"
#include "app/store_settings.h"
#include "govern/tenancy/administration.h"

namespace jikji {

// All that any action takes; 0, −1 and "" are "not given".
struct TenantArguments {
  StoreSettings store;
  std::string action, name;
  int64_t organisation = 0, project = 0, key = 0, service_account = 0;
  std::string role = "member";
  std::vector<std::string> models, networks;
  bool hub = false;
  int64_t expires_days = 0, overlap_hours = 24;
  std::string grade = "O", content_grade = "O", service_class = "standard";
  std::string currency = "KRW";
  std::string window = "month", amount;
  bool soft = false;
  int64_t requests_per_minute = -1, tokens_per_minute = -1, concurrent_requests = -1;
  std::string input_price, cached_price, output_price;
  std::string from, until;
  std::string reason;
  std::string file, as_key;
  int64_t older_days = 0;
  bool json = false;

  void AddTo(Settings& settings);
};

struct TenantAction {
  const char* name;
  Bilingual help;
  // Returns what to print.
  Result<boost::json::object> (*run)(const TenantArguments& arguments, Database& database,
                                     Administration& administration);
};

// All but `init` and `usage`, which print in their own way.
std::span<const TenantAction> TenantActions();

}  // namespace jikji

#endif  // JIKJI_APP_TENANT_ACTIONS_H_
