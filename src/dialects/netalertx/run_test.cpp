// Scripts of the ecosystem's shape, from manifest to records, through a real interpreter.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/prepare.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPython = "/usr/bin/python3";

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

int Execute(const Invocation& invocation, const fs::path& log) {
  std::vector<std::string> argv = invocation.argv, environment;
  for (const auto& [key, value] : invocation.environment) environment.push_back(key + "=" + value);
  auto arguments = Pointers(argv), variables = Pointers(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, invocation.working_folder.c_str());
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0].c_str(), &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  if (error == 0) waitpid(child, &status, 0);
  return status;
}

struct Ran {
  Batch batch;
  std::string log;
};

class Run : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("/usr/bin/python3 -c 'import pytz' 2>/dev/null") != 0)
      GTEST_SKIP() << "needs /usr/bin/python3 with the package pytz";
  }

  Ran Plugin(const fs::path& folder, const Settings& site = {}) {
    const NetAlertX codec;
    const ReadResult read = codec.Read(folder, site);
    EXPECT_EQ(read.manifests.size(), 1U);
    if (read.manifests.size() != 1) return {};
    const Manifest& manifest = read.manifests[0];
    const Settings settings = codec.Effective(manifest, site).value_or(Settings());
    fs::remove_all(work_.path());
    fs::create_directory(work_.path());
    RunContext context{.work = work_.path(), .share = BACKPLANE_SOURCE_DIR, .python = kPython};
    context.all_settings = &site;
    const auto invocation = codec.Prepare(manifest, {}, settings, context);
    EXPECT_TRUE(invocation);
    if (!invocation) return {};
    const int status = Execute(*invocation, work_.path() / "output");
    Ran ran;
    ran.log = ReadFile(work_.path() / "output", 1 << 20).value_or(std::string());
    EXPECT_EQ(status, 0) << ran.log;
    Output output;
    for (const fs::path& file : invocation->result_files)
      if (auto content = ReadFile(file, 1 << 20)) output.files.push_back({file.filename(), *content, {}});
    ran.batch = codec.Decode(manifest, settings, settings, output, *ParseTime("2026-08-22T10:00:00Z"));
    return ran;
  }

  TemporaryFolder work_;
};

std::vector<ObjectRecord> Objects(const Batch& batch) {
  std::vector<ObjectRecord> out;
  for (const Record& record : batch.records)
    if (const auto* object = std::get_if<ObjectRecord>(&record)) out.push_back(*object);
  return out;
}

const fs::path kTestPlugins = BACKPLANE_SOURCE_DIR "/src/dialects/netalertx/testdata/plugins";

TEST_F(Run, AScriptFindsTheModulesItImports) {
  const Ran ran =
      Plugin(kTestPlugins / "surface", {{"SURFACE_list", Json::array({"it's", "two"})}, {"TIMEZONE", "Asia/Tokyo"}});
  const auto objects = Objects(ran.batch);
  ASSERT_EQ(objects.size(), 2U) << ran.log;
  EXPECT_EQ(objects[0].primary, "00:11:22:33:44:55");
  EXPECT_EQ(objects[0].watched[0], "[\"it's\", 'two']");
  EXPECT_EQ(objects[0].watched[1], "Asia/Tokyo");
  EXPECT_EQ(objects[0].watched[2], "True 7");
  EXPECT_EQ(objects[0].extra, "argv: its,two");
  EXPECT_TRUE(ran.batch.complete);
  EXPECT_TRUE(ran.batch.refused.empty());
}

TEST_F(Run, ValuesThatWouldTearARowAreMadeHarmless) {
  const auto objects = Objects(Plugin(kTestPlugins / "surface").batch);
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[1].watched[0], "a\u00a6b c d");
}

TEST_F(Run, NothingIsLeftBesideTheScript) {
  const auto count = [] {
    return std::distance(fs::directory_iterator(kTestPlugins / "surface"), fs::directory_iterator());
  };
  const auto before = count();
  Plugin(kTestPlugins / "surface");
  EXPECT_EQ(count(), before);
}

TEST_F(Run, TheExamplesRun) {
  const fs::path examples = BACKPLANE_SOURCE_DIR "/examples/site/netalertx/plugins";
  const Ran neighbours = Plugin(examples / "neighbours");
  EXPECT_TRUE(neighbours.batch.refused.empty());
  EXPECT_THAT(neighbours.log, testing::HasSubstr("devices"));
  const Ran listeners = Plugin(examples / "listeners");
  EXPECT_TRUE(listeners.batch.refused.empty());
  EXPECT_THAT(listeners.log, testing::HasSubstr("listeners"));
}

}  // namespace
}  // namespace backplane::netalertx
