#include "runtime/python/python_runtime.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace backplane::runtime {
namespace {

constexpr std::string_view kErrorFile = "error.json";
constexpr std::size_t kLongestMessage = 500;

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "ValueError: wrong thing (plugin.py line 7)", on one line; empty if the file is not as it should be.
std::string Exception(const std::string& content) {
  const auto error = ParseJson(content);
  if (!error || !error->is_object()) return {};
  std::string out = Text(*error, "type");
  std::string message = Text(*error, "message");
  std::replace(message.begin(), message.end(), '\n', ' ');
  if (!message.empty()) out += ": " + Shorten(message, kLongestMessage);
  if (const std::string where = Text(*error, "where"); !where.empty()) out += fmt::format(" ({})", where);
  return out;
}

}  // namespace

Output PythonRuntime::Run(const RunRequest& request, std::stop_token stop) {
  Output output = process_.Run(request, stop);
  const auto file = std::find_if(output.files.begin(), output.files.end(),
                                 [](const Output::ResultFile& one) { return one.name == kErrorFile; });
  if (file == output.files.end()) return output;
  const std::string exception = Exception(file->content);
  output.files.erase(file);
  if (output.status != RunStatus::kFailed || exception.empty()) return output;
  // The process said "exit code 1", perhaps with more behind it.
  const std::string ending = fmt::format("exit code {}", output.exit_code.value_or(0));
  if (output.message.starts_with(ending))
    output.message.replace(0, ending.size(), exception);
  else
    output.message = exception;
  return output;
}

}  // namespace backplane::runtime
