// Administration: acts that a duty asks for, on customers and on what is kept of them.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "govern/tenancy/administration.h"

namespace jikji {

Result<> Administration::FileCustomer(int64_t organisation, const CustomerFile& file,
                                      std::string_view secret) {
  return Change([&]() -> Result<Act> {
    const int64_t now = clock_.WallSeconds();
    JIKJI_ASSIGN(const std::string person, PersonOf(database_, hasher_, secret, now));
    return jikji::FileCustomer(database_, organisation, file, person, now);
  });
}

Result<> Administration::ApproveCustomer(int64_t organisation, std::string_view secret) {
  return Change([&]() -> Result<Act> {
    const int64_t now = clock_.WallSeconds();
    JIKJI_ASSIGN(const std::string person, PersonOf(database_, hasher_, secret, now));
    return jikji::ApproveCustomer(database_, organisation, person, now);
  });
}

Result<> Administration::RequireCustomerFiles(bool required) {
  return Change([&] { return jikji::RequireCustomerFiles(database_, required); });
}

Result<> Administration::EraseContent(int64_t organisation, std::string_view reason) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows rows, database_.Run("SELECT 1 FROM organisations WHERE id = $1 "
                                                   "AND archived_at IS NOT NULL",
                                                   {organisation}));
    // A server that goes on to serve it would have to make a new key under the old name.
    if (rows.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("archive organisation {} first: what it goes on to do could not be "
                              "recorded",
                              organisation));
    }
    return Act{std::string(kContentErased), organisation,
               fmt::format("organisation_{}", organisation),
               boost::json::serialize(boost::json::object{{"reason", reason}})};
  });
}

Result<> Administration::NoteReview(std::string_view note) {
  return Change([&]() -> Result<Act> {
    return Act{"access.reviewed", 0, "site",
               boost::json::serialize(boost::json::object{{"note", note}})};
  });
}

Result<int64_t> Administration::PurgeUsage(int64_t before) {
  int64_t deleted = 0;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("DELETE FROM usage WHERE minute < $1", {before}));
    deleted = rows.changed();
    return Act{"usage.purged", 0, "usage",
               fmt::format(R"({{"before":{},"rows":{}}})", before, deleted)};
  }));
  return deleted;
}

}  // namespace jikji
