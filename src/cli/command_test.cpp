#include "cli/command.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    commands_ = {
        {"plugins list",
         "Lists.",
         {},
         {{"--limit", "N", "At most N"}, {"--json", "", "JSON"}, {"--set", "K=V", "Set", true}},
         [this](const Args& args) { return args_ = args, 7; }},
        {"plugins show", "Shows.", {{"ID", "Which"}}, {}, [this](const Args& args) { return args_ = args, kOk; }},
        {"plugins new",
         "Begins.",
         {{"NAME", "Which"}},
         {{"--dir", "FOLDER", "Where"}, {"--set", "K=V", "Set", true}},
         [this](const Args& args) { return args_ = args, kOk; }},
        {"check", "Checks.", {{"PATH", "Which", true}}, {}, [this](const Args& args) { return args_ = args, kFailed; }},
    };
  }
  // The exit code; what was printed is in out_ and err_.
  int Call(std::vector<std::string> words) {
    words.insert(words.begin(), "backplane");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    args_ = {};
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = Main(commands_, static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  std::vector<Command> commands_;
  Args args_;
  std::string out_;
  std::string err_;
};

TEST_F(CommandTest, TheCommandsCodeIsTheExitCode) {
  EXPECT_EQ(Call({"plugins", "list"}), 7);
  EXPECT_EQ(Call({"check"}), kFailed);
  EXPECT_EQ(Call({"plugins", "show", "x"}), kOk);
}

TEST_F(CommandTest, OptionsAndArgumentsArrive) {
  EXPECT_EQ(Call({"plugins", "list", "--limit", "5", "--json", "--set", "a=1", "--set", "b=2"}), 7);
  EXPECT_EQ(args_.Get("--limit"), "5");
  EXPECT_TRUE(args_.Has("--json"));
  EXPECT_THAT(args_.All("--set"), ElementsAre("a=1", "b=2"));
  EXPECT_EQ(Call({"plugins", "list", "--limit=5", "--limit=6"}), 7);
  EXPECT_EQ(args_.Get("--limit"), "6");
  EXPECT_FALSE(args_.Has("--json"));
  EXPECT_THAT(args_.All("--set"), IsEmpty());
  EXPECT_EQ(args_.Get("--none", "otherwise"), "otherwise");
  EXPECT_EQ(Call({"plugins", "show", "x"}), kOk);
  EXPECT_EQ(args_.Get("ID"), "x");
  EXPECT_EQ(Call({"check"}), kFailed);
  EXPECT_FALSE(args_.Has("PATH"));
}

TEST_F(CommandTest, AnArgumentMayStandBetweenOptions) {
  EXPECT_EQ(Call({"plugins", "new", "--set", "a=1", "mine", "--dir", "here", "--set", "b=2"}), kOk);
  EXPECT_EQ(args_.Get("NAME"), "mine");
  EXPECT_EQ(args_.Get("--dir"), "here");
  EXPECT_THAT(args_.All("--set"), ElementsAre("a=1", "b=2"));
}

TEST_F(CommandTest, WrongUsageIsTwoAndExplained) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"plugins"},
      {"nothing"},
      {"plugins", "nothing"},
      {"plugins", "show"},
      {"plugins", "show", "a", "b"},
      {"plugins", "list", "--no"},
      {"plugins", "list", "--limit"},
      {"check", "a", "b"},
  };
  for (const auto& words : cases) {
    EXPECT_EQ(Call(words), kUsage) << ::testing::PrintToString(words);
    EXPECT_FALSE(err_.empty()) << ::testing::PrintToString(words);
    EXPECT_FALSE(args_.Has("ID"));
  }
}

TEST_F(CommandTest, HelpAndVersionAreNoFailures) {
  EXPECT_EQ(Call({"--help"}), kOk);
  EXPECT_THAT(out_, HasSubstr("See, check and run plugins"));
  EXPECT_EQ(Call({"plugins", "list", "--help"}), kOk);
  EXPECT_THAT(out_, HasSubstr("--limit N"));
  EXPECT_THAT(out_, HasSubstr("At most N"));
  EXPECT_EQ(Call({"--version"}), kOk);
  EXPECT_THAT(out_, HasSubstr(std::string("backplane ") + BACKPLANE_VERSION));
}

TEST_F(CommandTest, AReportIsOneHarmlessLine) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Report({Errc::kNotFound, "no plugin \x1b[2Jx", ""}), kFailed);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "backplane: no plugin ?[2Jx\n");
}

// The program's own commands: each can explain itself, and none is declared twice.
TEST_F(CommandTest, EveryRealCommandHasHelp) {
  commands_ = Commands();
  std::set<std::string> paths;
  for (const Command& command : Commands()) {
    EXPECT_TRUE(paths.insert(command.path).second) << command.path;
    std::vector<std::string> words;
    for (std::size_t at = 0; at < command.path.size();) {
      const auto end = std::min(command.path.find(' ', at), command.path.size());
      words.push_back(command.path.substr(at, end - at));
      at = end + 1;
    }
    words.push_back("--help");
    EXPECT_EQ(Call(words), kOk) << command.path;
    for (const Option& option : command.options) EXPECT_THAT(out_, HasSubstr(option.name)) << command.path;
    words.back() = "--no-such-option";
    EXPECT_EQ(Call(words), kUsage) << command.path;
  }
  EXPECT_GT(paths.size(), 8U);
}

}  // namespace
}  // namespace backplane::cli
