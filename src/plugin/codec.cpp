#include "plugin/codec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace backplane {

std::string DisplayCommand(const Invocation& invocation) {
  std::string command = fmt::format("{}", fmt::join(invocation.argv, " "));
  for (const std::string& secret : invocation.secrets)
    if (!secret.empty()) command = ReplaceAll(command, secret, "***");
  return command;
}

}  // namespace backplane
