#include <fmt/format.h>

#include "base/version.h"
#include "hub/bom/bom.h"
#include "hub/http/call.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

constexpr const char* kInfo = "_:creation";
constexpr const char* kNoLicence = "expandedlicensing_NoAssertionLicense";

// What SPDX calls `LicenseRef-`: letters, digits, `-` and `.`.
std::string ReferenceTo(const std::string& licence) {
  std::string out = "LicenseRef-";
  for (const char c : licence) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += kept || c == '.' ? c : '-';
  }
  return out;
}

// The elements of one document, each with its id below the document's.
class Graph {
 public:
  Graph(const BomSource& source, std::string time)
      : source_(source), time_(std::move(time)), base_(source.download + "#") {}

  json::object Document() {
    Describe();
    json::object document = Element("SpdxDocument", "document", source_.repository.name);
    document["profileConformance"] = json::array{"core", "software", "simpleLicensing", "ai"};
    document["rootElement"] = json::array{Id("model")};
    if (!imports_.empty()) document["import"] = std::move(imports_);
    json::array elements;
    for (const json::value& item : graph_) elements.push_back(item.at("spdxId"));
    document["element"] = std::move(elements);
    json::array all{json::object{{"type", "CreationInfo"},
                                 {"@id", kInfo},
                                 {"specVersion", "3.0.1"},
                                 {"created", time_},
                                 {"createdBy", {Id("author")}},
                                 {"createdUsing", {Id("tool")}}}};
    all.push_back(std::move(document));
    for (json::value& item : graph_) all.push_back(std::move(item));
    return {{"@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"},
            {"@graph", std::move(all)}};
  }

 private:
  std::string Id(std::string_view name) const { return base_ + UrlEscape(name, true); }
  json::object Element(std::string_view type, std::string_view id, std::string_view name) const {
    json::object out{{"type", type}, {"spdxId", Id(id)}, {"creationInfo", kInfo}};
    if (!name.empty()) out["name"] = name;
    return out;
  }
  void Relate(std::string_view id, std::string_view how, json::array to, std::string comment = {}) {
    json::object out = Element("Relationship", id, "");
    out["relationshipType"] = how;
    out["from"] = Id("model");
    out["to"] = std::move(to);
    if (!comment.empty()) out["comment"] = std::move(comment);
    graph_.push_back(std::move(out));
  }

  void Describe() {
    const std::string& name = source_.repository.name;
    graph_.push_back(Element(
        "Agent", "author",
        source_.commit.author.empty() ? OwnerOf(name) : std::string_view(source_.commit.author)));
    graph_.push_back(Element("Agent", "supplier", OwnerOf(name)));
    graph_.push_back(Element("Tool", "tool", fmt::format("jikji {}", kVersion)));
    json::object model = Element("ai_AIPackage", "model", name);
    model["software_packageVersion"] = source_.commit.oid;
    model["software_downloadLocation"] = source_.download;
    model["software_primaryPurpose"] = "model";
    model["releaseTime"] = time_;
    model["suppliedBy"] = Id("supplier");
    if (const std::string task = source_.card.First("pipeline_tag"); !task.empty()) {
      model["ai_domain"] = json::array{task};
    }
    graph_.push_back(std::move(model));
    DescribeFiles();
    DescribeLicence();
    DescribeAncestors();
  }

  void DescribeFiles() {
    json::array files;
    for (const auto& [path, file] : *source_.files) {
      json::object item = Element("software_File", "file/" + path, path);
      item["verifiedUsing"] = json::array{json::object{
          {"type", "Hash"}, {"algorithm", "sha256"}, {"hashValue", HexOf(file.digest)}}};
      files.push_back(item.at("spdxId"));
      graph_.push_back(std::move(item));
    }
    if (!files.empty()) Relate("contains", "contains", std::move(files));
  }

  // What the card declares; the hub concludes nothing.
  void DescribeLicence() {
    const std::string name = source_.card.First("license");
    json::array declared{kNoLicence};
    if (!name.empty()) {
      const std::string id = SpdxLicence(name);
      const std::string other = source_.card.First("license_name");
      json::object licence = Element("simplelicensing_LicenseExpression", "licence", "");
      licence["simplelicensing_licenseExpression"] =
          id.empty() ? ReferenceTo(other.empty() ? name : other) : id;
      declared = {licence.at("spdxId")};
      graph_.push_back(std::move(licence));
    }
    Relate("declared-licence", "hasDeclaredLicense", std::move(declared));
    Relate("concluded-licence", "hasConcludedLicense", {kNoLicence});
  }

  void DescribeAncestors() {
    for (size_t i = 0; i < source_.lineage.size(); ++i) {
      const Ancestor& ancestor = source_.lineage[i];
      const std::string id = "pkg:huggingface/" + ancestor.base +
                             (ancestor.commit.empty() ? "" : "@" + ancestor.commit);
      imports_.push_back(json::object{{"type", "ExternalMap"}, {"externalSpdxId", id}});
      Relate(fmt::format("ancestor-{}", i), "descendantOf", {id},
             fmt::format("{}: {}", StandingName(ancestor.standing), ancestor.english));
    }
  }

  const BomSource& source_;
  const std::string time_;
  const std::string base_;
  json::array graph_;
  json::array imports_;
};

}  // namespace

json::object SpdxOf(const BomSource& source) {
  // Whole seconds, as the standard has them.
  return Graph(source, IsoTime(source.commit.created_at).substr(0, 19) + "Z").Document();
}

}  // namespace jikji::hub
