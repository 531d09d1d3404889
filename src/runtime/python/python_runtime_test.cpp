#include "runtime/python/python_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::runtime {
namespace {

// Gives what it was made with.
class Canned final : public Runtime {
 public:
  explicit Canned(Output output) : output_(std::move(output)) {}
  std::string_view name() const override { return "canned"; }
  Output Run(const RunRequest&, std::stop_token) override { return output_; }

 private:
  const Output output_;
};

Output Through(Output output) {
  Canned process(std::move(output));
  return PythonRuntime(process).Run({}, {});
}

Output Failed(std::string message, std::string error) {
  Output output{.status = RunStatus::kFailed, .exit_code = 1, .message = std::move(message)};
  output.files.push_back({"error.json", std::move(error), {}});
  return output;
}

TEST(PythonRuntime, TheExceptionStandsForTheExitCode) {
  const std::string error = R"({"type": "ValueError", "message": "wrong\nthing", "where": "plugin.py line 7"})";
  const Output output = Through(Failed("exit code 1", error));
  EXPECT_EQ(output.message, "ValueError: wrong thing (plugin.py line 7)");
  EXPECT_TRUE(output.files.empty());
  EXPECT_EQ(Through(Failed("exit code 1; 1 process it had left behind was killed", error)).message,
            "ValueError: wrong thing (plugin.py line 7); 1 process it had left behind was killed");
}

TEST(PythonRuntime, ShortensWhatIsLong) {
  const Output output =
      Through(Failed("exit code 1", Json{{"type", "E"}, {"message", std::string(5000, 'x')}, {"where", ""}}.dump()));
  EXPECT_EQ(output.message, "E: " + std::string(500, 'x') + "...");
}

TEST(PythonRuntime, LeavesTheExitCodeIfTheFileSaysNothing) {
  for (const char* error : {"", "[]", "{}", "{\"type\": 5}", "no JSON"})
    EXPECT_EQ(Through(Failed("exit code 1", error)).message, "exit code 1") << error;
}

TEST(PythonRuntime, AnotherEndingKeepsItsMessage) {
  Output output = Failed("killed by signal 9 (Killed)", R"({"type": "ValueError"})");
  output.status = RunStatus::kKilled;
  EXPECT_EQ(Through(output).message, "killed by signal 9 (Killed)");
}

TEST(PythonRuntime, OtherFilesStay) {
  Output output{.status = RunStatus::kOk, .exit_code = 0};
  output.files.push_back({"result.json", "{}", {}});
  EXPECT_EQ(Through(output).files.size(), 1U);
}

}  // namespace
}  // namespace backplane::runtime
