#include "app/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <map>

namespace jikji {
namespace {

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    settings_.Add("host", &host_, "Address to listen on");
    settings_.Add("api-key", &keys_, "Keys", /*secret=*/true);
    settings_.Add("port", &port_, "Port", 0, 65535);
    settings_.Add("verbose", &verbose_, "Talk more");
    settings_.AddBytes("kv-cache", &bytes_, "KV cache");
    settings_.AddFlags(command_);
  }

  Result<> Resolve(std::vector<std::string> flags, std::map<std::string, std::string> environment) {
    std::reverse(flags.begin(), flags.end());  // CLI11 takes them from the back
    command_.parse(flags);
    return settings_.Resolve([&](const char* name) -> const char* {
      const auto found = environment.find(name);
      return found == environment.end() ? nullptr : found->second.c_str();
    });
  }

  std::string WriteConfig(const std::string& text) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("jikji_settings_" + std::to_string(getpid()) + ".toml");
    std::ofstream(path) << text;
    return path.string();
  }

  std::string host_ = "127.0.0.1";
  std::vector<std::string> keys_;
  int64_t port_ = 8080;
  bool verbose_ = false;
  uint64_t bytes_ = 1 << 30;
  Settings settings_;
  CLI::App command_;
};

TEST_F(SettingsTest, AFlagBeatsTheEnvironmentWhichBeatsTheFile) {
  const std::string file =
      WriteConfig("host = \"file\"\nport = 1\nverbose = true\napi_key = [\"a\", \"b\"]\n");
  ASSERT_TRUE(Resolve({"--config", file, "--port", "3"},
                      {{"JIKJI_PORT", "2"}, {"JIKJI_HOST", "environment"}}));
  EXPECT_EQ(host_, "environment");
  EXPECT_EQ(port_, 3);
  EXPECT_TRUE(verbose_);
  EXPECT_EQ(keys_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(SettingsTest, FlagsOfEveryKind) {
  ASSERT_TRUE(Resolve({"--kv-cache", "1.5GiB", "--no-verbose", "--api-key", "x", "--api-key", "y"},
                      {{"JIKJI_VERBOSE", "true"}}));
  EXPECT_EQ(bytes_, 3ull << 29);
  EXPECT_FALSE(verbose_);
  EXPECT_EQ(keys_, (std::vector<std::string>{"x", "y"}));
}

TEST_F(SettingsTest, WhatFollowsAFlagsValueIsTheArgument) {
  std::string prompt;
  int64_t count = 0;
  std::string kind = "a";
  Settings settings;
  settings.AddPositional("PROMPT", &prompt, "");
  settings.Add("count", &count, "", 0, 9);
  settings.AddChoice("kind", &kind, "", {"a", "b"});
  CLI::App command;
  settings.AddFlags(command);
  command.parse(std::vector<std::string>{"hello", "b", "--kind", "3", "--count", "2", "--count"});
  ASSERT_TRUE(settings.Resolve([](const char*) { return nullptr; }));
  EXPECT_EQ(prompt, "hello");
  EXPECT_EQ(count, 3);  // the last one wins
  EXPECT_EQ(kind, "b");
  const auto wrong = settings.Resolve(
      [](const char* name) { return name == std::string_view("JIKJI_KIND") ? "c" : nullptr; });
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("none of a, b"), std::string::npos);
  EXPECT_NE(command.help().find("(a, b)"), std::string::npos);
}

TEST_F(SettingsTest, AHiddenSecretIsNoSecret) {
  const auto resolved = Resolve({"--config", WriteConfig("api_key = [\"***\"]\n")}, {});
  ASSERT_FALSE(resolved);
  EXPECT_NE(resolved.error().message.find("--check"), std::string::npos);
}

TEST_F(SettingsTest, KeysMayHaveHyphens) {
  ASSERT_TRUE(Resolve({"--config", WriteConfig("kv-cache = \"1MiB\"\n")}, {}));
  EXPECT_EQ(bytes_, 1u << 20);
}

TEST_F(SettingsTest, ListsInTheEnvironmentArePartedByCommas) {
  ASSERT_TRUE(Resolve({}, {{"JIKJI_API_KEY", "x,y"}}));
  EXPECT_EQ(keys_, (std::vector<std::string>{"x", "y"}));
}

TEST_F(SettingsTest, AnUnknownKeyInTheFileIsAnErrorThatNamesItsLine) {
  const auto resolved = Resolve({"--config", WriteConfig("port = 1\nprot = 2\n")}, {});
  ASSERT_FALSE(resolved);
  EXPECT_NE(resolved.error().message.find("`prot`"), std::string::npos);
  EXPECT_NE(resolved.error().where.find(".toml:2"), std::string::npos);
}

TEST_F(SettingsTest, BadValuesNameTheSettingAndItsSource) {
  const auto resolved = Resolve({}, {{"JIKJI_PORT", "65536"}});
  ASSERT_FALSE(resolved);
  EXPECT_NE(resolved.error().message.find("`port`"), std::string::npos);
  EXPECT_EQ(resolved.error().where, "JIKJI_PORT");
}

TEST_F(SettingsTest, BrokenTomlAndAbsentFilesAreErrors) {
  EXPECT_FALSE(Resolve({"--config", WriteConfig("port = = 1")}, {}));
}

TEST_F(SettingsTest, AnAbsentFileIsAnError) {
  EXPECT_FALSE(Resolve({"--config", "absent.toml"}, {}));
}

TEST_F(SettingsTest, ThePrintedSettingsReadBackAsTheSameAndHideKeys) {
  ASSERT_TRUE(Resolve({"--host", "ho\"st", "--port", "7"}, {{"JIKJI_API_KEY", "secret"}}));
  const std::string printed = settings_.ToToml();
  EXPECT_EQ(printed.find("secret"), std::string::npos);
  std::string host;
  int64_t port = 0;
  std::vector<std::string> keys;
  bool verbose = true;
  uint64_t bytes = 0;
  Settings again;
  again.Add("host", &host, "");
  again.Add("api-key", &keys, "");
  again.Add("port", &port, "", 0, 65535);
  again.Add("verbose", &verbose, "");
  again.AddBytes("kv-cache", &bytes, "");
  CLI::App command;
  again.AddFlags(command);
  const std::string path = WriteConfig(printed);
  command.parse(std::vector<std::string>{path, "--config"});
  ASSERT_TRUE(again.Resolve([](const char*) { return nullptr; }));
  EXPECT_EQ(host, "ho\"st");
  EXPECT_EQ(port, 7);
  EXPECT_EQ(bytes, bytes_);
  EXPECT_FALSE(verbose);
}

TEST(Bytes, ParseAndFormat) {
  EXPECT_EQ(ParseBytes("512").value(), 512u);
  EXPECT_EQ(ParseBytes("64K").value(), 65536u);
  EXPECT_EQ(ParseBytes("2 MiB").value(), 2u << 20);
  for (const char* bad : {"", "x", "1X", "-1", "1e30G", "nan"})
    EXPECT_FALSE(ParseBytes(bad)) << bad;
  EXPECT_EQ(FormatBytes(3ull << 29), "1536MiB");
  EXPECT_EQ(FormatBytes(1000), "1000");
}

}  // namespace
}  // namespace jikji
