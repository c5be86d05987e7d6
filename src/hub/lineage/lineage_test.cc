// What is told of tiny models that were quantised, merged, trained on, or made of nothing.
#include "hub/lineage/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapt/convert/convert.h"
#include "adapt/merge/merge.h"
#include "adapt/quantise/quantise.h"
#include "base/file.h"
#include "hub/bom/bom.h"
#include "hub/http/routes.h"
#include "hub/lineage/recipe.h"
#include "hub/testing/temporary_site.h"
#include "model/golden_models.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Lineage : public testing::Test {
 protected:
  // A model of our own weights, each name with others.
  void MakeModel(const std::string& name, float shift = 0, const std::string& weights_of = {}) {
    GoldenModel model = GoldenNamed("llama");
    model.name = weights_of.empty() ? name : weights_of;
    FillWeights(model);
    for (GoldenTensor& tensor : model.tensors) {
      for (size_t i = 0; i < tensor.values.size(); ++i) {
        tensor.values[i] += shift * (i % 2 == 0 ? 0.01f : -0.01f);
      }
    }
    fs::create_directories(place_.path() / name);
    ASSERT_TRUE(WriteFolder(model, place_.path() / name, AllAs(DType::kF32)));
  }
  void WriteText(const std::string& path, const std::string& text) {
    fs::create_directories((place_.path() / path).parent_path());
    ASSERT_TRUE(WriteFileAtomic(place_.path() / path, text));
  }
  // Commits every file of a folder.
  Repository Publish(const std::string& name) {
    const Repository repository =
        site_.hub().Connect().has_value()
            ? CreateRepository(**site_.hub().Connect(), "model", name, false, "alice")->repository
            : Repository{};
    for (const auto& entry : fs::recursive_directory_iterator(place_.path() / name)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = fs::relative(entry.path(), place_.path() / name).string();
      const auto done = CommitFile(site_.hub(), repository, path, *ReadFile(entry.path()));
      EXPECT_TRUE(done) << (done ? "" : done.error().ToString());
    }
    return repository;
  }
  std::vector<Ancestor> Find(const Repository& repository) {
    auto session = site_.hub().Connect();
    const auto tip = ResolveRevision(**session, repository.id, "main");
    auto found = FindLineage(site_.hub(), **session, repository, *tip, pool_);
    EXPECT_TRUE(found) << (found ? "" : found.error().ToString());
    return found.value_or(std::vector<Ancestor>());
  }

  TemporaryFolder place_;
  TemporarySite site_;
  ThreadPool pool_{2};
};

std::string CardNaming(const std::string& base, const std::string& relation) {
  return "---\nlicense: apache-2.0\nbase_model: " + base + "\nbase_model_relation: " + relation +
         "\n---\n# it\n";
}

TEST_F(Lineage, WhatWasTrainedOnIsConsistentAndAStrangerIsNot) {
  MakeModel("team/base");
  MakeModel("team/tuned", 1, "team/base");
  MakeModel("team/stranger");
  WriteText("team/tuned/README.md", CardNaming("team/base", "finetune"));
  WriteText("team/stranger/README.md", CardNaming("team/base", "finetune"));
  Publish("team/base");
  const auto tuned = Find(Publish("team/tuned"));
  ASSERT_EQ(tuned.size(), 1u);
  EXPECT_EQ(tuned[0].standing, Standing::kConsistent) << tuned[0].english;
  EXPECT_GT(tuned[0].comparison->least_cosine, 0.9);
  const auto stranger = Find(Publish("team/stranger"));
  EXPECT_EQ(stranger[0].standing, Standing::kClaimed) << stranger[0].english;
  EXPECT_LT(stranger[0].comparison->alike, 0.2);
}

TEST_F(Lineage, ABaseThatIsNotHereIsClaimed) {
  MakeModel("team/tuned");
  WriteText("team/tuned/README.md", CardNaming("else/where", "finetune"));
  const auto found = Find(Publish("team/tuned"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].standing, Standing::kClaimed);
  EXPECT_EQ(found[0].english, "it is not on this hub");
}

TEST_F(Lineage, AQuantisationIsProvedByMakingItAgain) {
  MakeModel("team/base");
  Publish("team/base");
  fs::create_directories(place_.path() / "team/small");
  ASSERT_TRUE(Quantise(place_.path() / "team/base", place_.path() / "team/small/small.gguf",
                       {.type = DType::kQ8_0}, pool_));
  WriteText("team/small/README.md", CardNaming("team/base", "quantized"));
  const Repository small = Publish("team/small");
  EXPECT_EQ(Find(small)[0].standing, Standing::kConsistent) << Find(small)[0].english;

  const std::string recipe = R"({"how":"quantize","from":{"team/base":"main"},"type":")";
  ASSERT_TRUE(
      CommitFile(site_.hub(), small, kRecipeFile, recipe + R"(Q8_0","output":"small.gguf"})"));
  EXPECT_EQ(Find(small)[0].standing, Standing::kProved) << Find(small)[0].english;
  EXPECT_THAT(site_.Get("/team/small").body, HasSubstr("proved"));
  EXPECT_THAT(site_.Get("/team/small?lang=ko").body, HasSubstr("증명"));

  // Of a base that is a GGUF file, too.
  MakeModel("team/whole");
  fs::create_directories(place_.path() / "team/file");
  ASSERT_TRUE(
      Convert(place_.path() / "team/whole", place_.path() / "team/file/model.gguf", {}, pool_));
  Publish("team/file");
  fs::create_directories(place_.path() / "team/tiny");
  ASSERT_TRUE(Quantise(place_.path() / "team/file/model.gguf", place_.path() / "team/tiny/q8.gguf",
                       {.type = DType::kQ8_0}, pool_));
  WriteText("team/tiny/README.md", CardNaming("team/file", "quantized"));
  const Repository tiny = Publish("team/tiny");
  const std::string of_file = R"({"how":"quantize","from":{"team/file":"main"},"type":"Q8_0",)";
  ASSERT_TRUE(CommitFile(site_.hub(), tiny, kRecipeFile, of_file + R"("output":"q8.gguf"})"));
  EXPECT_EQ(Find(tiny)[0].standing, Standing::kProved) << Find(tiny)[0].english;
  ASSERT_TRUE(CommitFile(site_.hub(), tiny, kRecipeFile,
                         of_file + R"("input":"none.gguf","output":"q8.gguf"})"));
  EXPECT_THAT(Find(tiny)[0].english,
              AllOf(HasSubstr("cannot be followed"), HasSubstr("team/file/none.gguf"),
                    Not(HasSubstr("work-"))));

  // A recipe that makes another model proves nothing.
  ASSERT_TRUE(
      CommitFile(site_.hub(), small, kRecipeFile, recipe + R"(F16","output":"small.gguf"})"));
  const auto other = Find(small);
  EXPECT_EQ(other[0].standing, Standing::kConsistent);
  EXPECT_THAT(other[0].english, HasSubstr("other weights"));
}

TEST_F(Lineage, AMergeIsProvedAndReadsOnlyItsSources) {
  MakeModel("team/a");
  MakeModel("team/b");
  const std::string yaml =
      "merge_method: linear\nmodels:\n  - {model: team/a, parameters: {weight: 0.5}}\n"
      "  - {model: team/b, parameters: {weight: 0.5}}\n";
  ASSERT_TRUE(MergeModels(*ParseMergeRecipe(yaml, "m"), place_.path(),
                          place_.path() / "team/merged", 0, pool_));
  WriteText("team/merged/merge.yaml", yaml);
  WriteText("team/merged/jikji-lineage.json",
            R"({"how":"merge","from":{"team/a":"main","team/b":"main"},"recipe":"merge.yaml"})");
  Publish("team/a");
  Publish("team/b");
  const Repository merged = Publish("team/merged");
  const auto found = Find(merged);
  ASSERT_EQ(found.size(), 2u);
  for (const Ancestor& ancestor : found) {
    EXPECT_EQ(ancestor.standing, Standing::kProved) << ancestor.english;
  }
  ASSERT_TRUE(CommitFile(site_.hub(), merged, "merge.yaml",
                         "merge_method: linear\nmodels:\n  - {model: /etc, parameters: {weight: "
                         "1}}\n"));
  EXPECT_THAT(Find(merged)[0].english, HasSubstr("not among the sources"));
}

TEST(LineageRecipe, WhatIsNotKnownIsAnError) {
  for (const char* text :
       {"[]", "{}", R"({"how":"run","from":{"a/b":"main"}})", R"({"how":"convert","from":{}})",
        R"({"how":"convert","from":{"../b":"main"}})",
        R"({"how":"convert","from":{"a/b":"main"},"input":"../x"})",
        R"({"how":"convert","from":{"a/b":"main"},"more":1})",
        R"({"how":"merge","from":{"a/b":"main"}})",
        R"({"how":"quantize","from":{"a/b":"main"},"type":"Q8_0"})",
        R"({"how":"convert","from":{"a/b":"main","a/c":"main"}})"}) {
    EXPECT_FALSE(ParseLineageRecipe(text)) << text;
  }
}

// What the standards require of each element, and that nothing is named that is not there.
class Bill : public Lineage {
 protected:
  BomSource Source() {
    MakeModel("team/tuned");
    WriteText("team/tuned/README.md",
              "---\nlicense: apache-2.0\nbase_model: else/where\n---\n# it\n");
    WriteText("team/tuned/한글 이름.txt", "x");
    const Repository repository = Publish("team/tuned");
    auto session = site_.hub().Connect();
    return *ReadBomSource(site_.hub(), **session, repository,
                          *ResolveRevision(**session, repository.id, "main"), "http://hub.example");
  }
};

TEST_F(Bill, SpdxHasWhatItsProfilesRequire) {
  const BomSource source = Source();
  const json::object bill = SpdxOf(source);
  EXPECT_EQ(bill, SpdxOf(source));
  EXPECT_EQ(bill.at("@context").as_string(), "https://spdx.org/rdf/3.0.1/spdx-context.jsonld");
  std::set<std::string> ids{"expandedlicensing_NoAssertionLicense"};
  std::map<std::string, int> relations;
  size_t files = 0;
  for (const json::value& item : bill.at("@graph").as_array()) {
    if (item.at("type").as_string() == "CreationInfo") {
      EXPECT_EQ(item.at("created").as_string().size(), 20u);
      continue;
    }
    EXPECT_EQ(item.at("creationInfo").as_string(), "_:creation");
    EXPECT_TRUE(ids.insert(std::string(item.at("spdxId").as_string())).second);
    if (item.as_object().contains("import")) {
      for (const json::value& map : item.at("import").as_array()) {
        ids.insert(std::string(map.at("externalSpdxId").as_string()));
      }
    }
  }
  for (const json::value& item : bill.at("@graph").as_array()) {
    const auto type = item.at("type").as_string();
    if (type == "ai_AIPackage") {
      for (const char* key : {"name", "software_packageVersion", "software_downloadLocation",
                              "software_primaryPurpose", "releaseTime", "suppliedBy"}) {
        EXPECT_TRUE(item.as_object().contains(key)) << key;
      }
      EXPECT_TRUE(ids.contains(std::string(item.at("suppliedBy").as_string())));
    } else if (type == "software_File") {
      ++files;
      EXPECT_EQ(item.at("verifiedUsing").as_array()[0].at("hashValue").as_string().size(), 64u);
    } else if (type == "Relationship") {
      ++relations[std::string(item.at("relationshipType").as_string())];
      EXPECT_TRUE(ids.contains(std::string(item.at("from").as_string())));
      for (const json::value& to : item.at("to").as_array()) {
        EXPECT_TRUE(ids.contains(std::string(to.as_string()))) << to;
      }
    } else if (type == "simplelicensing_LicenseExpression") {
      EXPECT_EQ(item.at("simplelicensing_licenseExpression").as_string(), "Apache-2.0");
    }
  }
  EXPECT_EQ(files, source.files->size());
  EXPECT_EQ(relations, (std::map<std::string, int>{{"contains", 1},
                                                   {"descendantOf", 1},
                                                   {"hasConcludedLicense", 1},
                                                   {"hasDeclaredLicense", 1}}));
}

TEST_F(Bill, CycloneDxTellsOfFilesLicenceAndAncestors) {
  const BomSource source = Source();
  const json::object bill = CycloneDxOf(source);
  EXPECT_EQ(bill, CycloneDxOf(source));
  EXPECT_EQ(bill.at("bomFormat").as_string(), "CycloneDX");
  EXPECT_THAT(std::string(bill.at("serialNumber").as_string()),
              testing::MatchesRegex("urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"));
  const json::object& model = bill.at("metadata").at("component").as_object();
  EXPECT_EQ(model.at("type").as_string(), "machine-learning-model");
  EXPECT_EQ(model.at("licenses").as_array()[0].at("license").at("id").as_string(), "Apache-2.0");
  EXPECT_EQ(model.at("components").as_array().size(), source.files->size());
  EXPECT_EQ(model.at("pedigree").at("ancestors").as_array()[0].at("name").as_string(), "where");
}

}  // namespace
}  // namespace jikji::hub
