#include "govern/tenancy/customers.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "govern/guard/checks.h"
#include "govern/tenancy/roles.h"

namespace jikji {
namespace {

using boost::json::object;

constexpr size_t kApprovals = 2;
constexpr size_t kLongestText = 2000;
constexpr std::string_view kClear = "clear";
constexpr size_t kBusinessDigits = 10;

bool IsCountry(std::string_view code) {
  return code.size() == 2 &&
         std::ranges::all_of(code, [](char letter) { return letter >= 'A' && letter <= 'Z'; });
}

std::string DigitsOf(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  return digits;
}

Act MakeAct(std::string event, int64_t organisation, const object& detail) {
  return {std::move(event), organisation, fmt::format("organisation_{}", organisation),
          boost::json::serialize(detail)};
}

}  // namespace

bool FiledCustomer::approved() const {
  return approvers.size() >= kApprovals && screening_result == kClear;
}

Result<> CheckCustomerFile(const CustomerFile& file) {
  const std::pair<const char*, const std::string&> texts[] = {
      {"legal_name", file.legal_name},
      {"screening_list", file.screening_list},
      {"screening_result", file.screening_result},
      {"screened_by", file.screened_by},
      {"end_use", file.end_use}};
  for (const auto& [name, text] : texts) {
    if (!text.empty() && text.size() <= kLongestText) continue;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` has 1 to {} bytes", name, kLongestText), name);
  }
  const std::string digits = DigitsOf(file.business_number);
  if (digits.size() != kBusinessDigits ||
      !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }) ||
      !guard::BusinessChecksum(digits)) {
    return Fail(ErrorCode::kInvalidArgument,
                "is no business registration number: ten digits with a right checksum",
                "business_number");
  }
  if (!IsCountry(file.headquarters) || !IsCountry(file.parent)) {
    return Fail(ErrorCode::kInvalidArgument, "countries are two capital letters, as KR",
                "headquarters, parent");
  }
  return {};
}

Result<std::string> PersonOf(Database& database, const KeyHasher& hasher, std::string_view secret,
                             int64_t now) {
  const auto prefix = KeyPrefix(secret);
  if (prefix) {
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT id, name, digest FROM api_keys WHERE prefix = $1 "
                              "AND role = $2 AND revoked_at IS NULL "
                              "AND (expires_at IS NULL OR expires_at > $3)",
                              {std::string(*prefix), std::string(RoleName(Role::kOperator)), now}));
    if (!rows.empty()) {
      JIKJI_ASSIGN(const KeyDigest digest, ParseDigest(rows.Text(0, 2)));
      if (KeyHasher::Equal(hasher.Digest(secret), digest)) {
        return fmt::format("key_{} {}", rows.Int(0, 0), rows.Text(0, 1));
      }
    }
  }
  return Fail(ErrorCode::kUnauthenticated,
              "say who you are with an operator's key: --as-key, or JIKJI_AS_KEY");
}

Result<Act> FileCustomer(Database& database, int64_t organisation, const CustomerFile& file,
                         const std::string& person, int64_t now) {
  JIKJI_RETURN_IF_ERROR(CheckCustomerFile(file));
  JIKJI_ASSIGN(const SqlRows there,
               database.Run("SELECT 1 FROM organisations WHERE id = $1 AND archived_at IS NULL",
                            {organisation}));
  if (there.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("there is no organisation {}", organisation));
  }
  JIKJI_ASSIGN(
      const SqlRows rows,
      database.Run(
          "INSERT INTO customers (organisation, version, legal_name, business_number, "
          "headquarters, parent, screening_list, screening_result, screened_by, end_use, filed_by, "
          "filed_at) VALUES ($1, (SELECT COALESCE(MAX(version), 0) + 1 FROM customers "
          "WHERE organisation = $1), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING version",
          {organisation, file.legal_name, DigitsOf(file.business_number), file.headquarters,
           file.parent, file.screening_list, file.screening_result, file.screened_by, file.end_use,
           person, now}));
  return MakeAct("customer.filed", organisation,
                 {{"version", rows.Int(0, 0)},
                  {"by", person},
                  {"legal_name", file.legal_name},
                  {"business_number", DigitsOf(file.business_number)},
                  {"headquarters", file.headquarters},
                  {"parent", file.parent},
                  {"screening_list", file.screening_list},
                  {"screening_result", file.screening_result},
                  {"screened_by", file.screened_by},
                  {"end_use", file.end_use}});
}

Result<Act> ApproveCustomer(Database& database, int64_t organisation, const std::string& person,
                            int64_t now) {
  JIKJI_ASSIGN(const auto customer, ReadCustomer(database, organisation));
  if (!customer) {
    return Fail(ErrorCode::kNotFound, fmt::format("organisation {} has no file", organisation));
  }
  const auto refuse = [](std::string why) {
    return Fail(ErrorCode::kPermissionDenied, std::move(why));
  };
  if (customer->screening_result != kClear) {
    return refuse(fmt::format("the screening says `{}`, not `clear`", customer->screening_result));
  }
  if (customer->filed_by == person) return refuse("who filed it does not approve it");
  if (std::ranges::find(customer->approvers, person) != customer->approvers.end()) {
    return refuse("this person has approved it already: it takes two");
  }
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO customer_approvals (organisation, version, approver, at) VALUES "
                   "($1, $2, $3, $4)",
                   {organisation, customer->version, person, now}));
  return MakeAct("customer.approved", organisation,
                 {{"version", customer->version}, {"by", person}});
}

Result<Act> RequireCustomerFiles(Database& database, bool required) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO governance (name, number, note) VALUES ('customer_files', $1, '') "
                   "ON CONFLICT (name) DO UPDATE SET number = excluded.number",
                   {int64_t{required}}));
  return Act{"customer_files.required", 0, "site", required ? R"({"on":true})" : R"({"on":false})"};
}

Result<bool> CustomerFilesRequired(Database& database) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT number FROM governance WHERE name = 'customer_files'"));
  return !rows.empty() && rows.Int(0, 0) != 0;
}

Result<std::optional<FiledCustomer>> ReadCustomer(Database& database, int64_t organisation) {
  JIKJI_ASSIGN(
      const SqlRows rows,
      database.Run("SELECT version, legal_name, business_number, headquarters, parent, "
                   "screening_list, screening_result, screened_by, end_use, filed_by, filed_at "
                   "FROM customers WHERE organisation = $1 ORDER BY version DESC LIMIT 1",
                   {organisation}));
  if (rows.empty()) return std::nullopt;
  FiledCustomer customer;
  customer.organisation = organisation;
  customer.version = rows.Int(0, 0);
  std::string* const texts[] = {
      &customer.legal_name,  &customer.business_number, &customer.headquarters,
      &customer.parent,      &customer.screening_list,  &customer.screening_result,
      &customer.screened_by, &customer.end_use,         &customer.filed_by};
  for (size_t i = 0; i < std::size(texts); ++i) *texts[i] = rows.Text(0, i + 1);
  customer.filed_at = rows.Int(0, 10);
  JIKJI_ASSIGN(const SqlRows approvals,
               database.Run("SELECT approver FROM customer_approvals WHERE organisation = $1 "
                            "AND version = $2 ORDER BY at, approver",
                            {organisation, customer.version}));
  for (size_t i = 0; i < approvals.size(); ++i) customer.approvers.push_back(approvals.Text(i, 0));
  return customer;
}

Result<> CheckCustomer(Database& database, int64_t organisation) {
  JIKJI_ASSIGN(const bool required, CustomerFilesRequired(database));
  if (!required || organisation == 0) return {};
  JIKJI_ASSIGN(const auto customer, ReadCustomer(database, organisation));
  if (customer && customer->approved()) return {};
  return Fail(ErrorCode::kPermissionDenied,
              fmt::format("organisation {} gets no key before two people have approved its file; "
                          "it has {} of them",
                          organisation, customer ? customer->approvers.size() : 0));
}

}  // namespace jikji
