// The program's own log: one line per event on standard error, through spdlog.
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace backplane {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Sets the least level that is written, and the name in front of each line. Call once, early.
void InitLog(LogLevel least, std::string_view program);
void WriteLog(LogLevel level, std::string_view message);

template <typename... Args>
void LogDebug(fmt::format_string<Args...> text, Args&&... args) {
  WriteLog(LogLevel::kDebug, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> text, Args&&... args) {
  WriteLog(LogLevel::kInfo, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> text, Args&&... args) {
  WriteLog(LogLevel::kWarning, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void LogError(fmt::format_string<Args...> text, Args&&... args) {
  WriteLog(LogLevel::kError, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace backplane
