#include <fmt/format.h>

#include "base/version.h"
#include "hub/bom/bom.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

// A UUID of the name alone (RFC 9562, version 8), so that a bill is the same each time.
std::string UuidOf(std::string_view name) {
  std::string hex = HexOf(Sha256Of(name)).substr(0, 32);
  hex[12] = '8';
  hex[16] = '8';
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

std::string PurlOf(const std::string& repository, const std::string& commit) {
  return "pkg:huggingface/" + repository + (commit.empty() ? "" : "@" + commit);
}

json::array LicencesOf(const Card& card) {
  const std::string name = card.First("license");
  if (name.empty()) return {};
  if (const std::string id = SpdxLicence(name); !id.empty()) {
    return {json::object{{"license", {{"id", id}}}}};
  }
  const std::string other = card.First("license_name");
  return {json::object{{"license", {{"name", other.empty() ? name : other}}}}};
}

json::array AncestorsOf(const BomSource& source) {
  json::array out;
  for (const Ancestor& ancestor : source.lineage) {
    json::array facts{
        json::object{{"name", "jikji:lineage"}, {"value", StandingName(ancestor.standing)}},
        json::object{{"name", "jikji:lineage:why"}, {"value", ancestor.english}}};
    if (!ancestor.relation.empty()) {
      facts.push_back(
          json::object{{"name", "jikji:lineage:relation"}, {"value", ancestor.relation}});
    }
    json::object item{{"type", "machine-learning-model"},
                      {"group", OwnerOf(ancestor.base)},
                      {"name", ancestor.base.substr(ancestor.base.find('/') + 1)},
                      {"purl", PurlOf(ancestor.base, ancestor.commit)},
                      {"properties", std::move(facts)}};
    if (!ancestor.commit.empty()) item["version"] = ancestor.commit;
    out.push_back(std::move(item));
  }
  return out;
}

json::array FilesOf(const BomSource& source) {
  json::array out;
  for (const auto& [path, file] : *source.files) {
    out.push_back(json::object{
        {"type", "file"},
        {"bom-ref", "file:" + path},
        {"name", path},
        {"hashes", {json::object{{"alg", "SHA-256"}, {"content", HexOf(file.digest)}}}},
        {"properties",
         {json::object{{"name", "jikji:size"}, {"value", std::to_string(file.size)}}}}});
  }
  return out;
}

}  // namespace

json::object CycloneDxOf(const BomSource& source) {
  const std::string& name = source.repository.name;
  const std::string purl = PurlOf(name, source.commit.oid);
  json::object parameters;
  if (const std::string task = source.card.First("pipeline_tag"); !task.empty()) {
    parameters["task"] = task;
  }
  json::object model{
      {"type", "machine-learning-model"},
      {"bom-ref", purl},
      {"group", OwnerOf(name)},
      {"name", name.substr(name.find('/') + 1)},
      {"version", source.commit.oid},
      {"purl", purl},
      {"externalReferences", {json::object{{"type", "distribution"}, {"url", source.download}}}},
      {"modelCard", {{"modelParameters", std::move(parameters)}}}};
  if (json::array licences = LicencesOf(source.card); !licences.empty()) {
    model["licenses"] = std::move(licences);
  }
  if (json::array ancestors = AncestorsOf(source); !ancestors.empty()) {
    model["pedigree"] = json::object{{"ancestors", std::move(ancestors)}};
  }
  model["components"] = FilesOf(source);
  return {{"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
          {"bomFormat", "CycloneDX"},
          {"specVersion", "1.6"},
          {"serialNumber", "urn:uuid:" + UuidOf(purl + " " + source.download)},
          {"version", 1},
          {"metadata",
           {{"timestamp", IsoTime(source.commit.created_at)},
            {"tools",
             {{"components",
               {json::object{{"type", "application"}, {"name", "jikji"}, {"version", kVersion}}}}}},
            {"component", std::move(model)}}}};
}

}  // namespace jikji::hub
