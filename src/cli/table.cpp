#include "cli/table.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

namespace backplane::cli {
namespace {

bool Terminal() { return isatty(STDOUT_FILENO) == 1; }

// Columns that the text takes: UTF-8 continuation bytes and colour sequences take none.
std::size_t Width(std::string_view text) {
  std::size_t width = 0;
  bool escape = false;
  for (const char c : text) {
    if (c == '\x1b') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++width;
    if (escape && c == 'm') escape = false;
  }
  return width;
}

std::size_t TerminalWidth() {
  winsize size{};
  if (!Terminal() || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
  return size.ws_col;
}

std::string Line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 < cells.size()) line += std::string(widths[i] - Width(cells[i]) + 2, ' ');
  }
  return line;
}

}  // namespace

void PrintTable(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const std::string& title : heading) lines[0].push_back(Harmless(title));
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i)
      line.push_back(heading[i] == "STATUS" ? Coloured(row[i]) : Harmless(row[i]));
  }
  std::vector<std::size_t> widths(heading.size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  const std::size_t terminal = TerminalWidth();
  for (const auto& cells : lines) {
    std::string line = Line(cells, widths);
    if (terminal > 4 && Width(line) > terminal && line.find('\x1b') == std::string::npos)
      line = Shorten(line, terminal - 3);
    std::puts(line.c_str());
  }
}

void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields)
    if (!value.empty()) width = std::max(width, name.size() + 1);
  for (const auto& [name, value] : fields)
    if (!value.empty())
      std::puts(
          fmt::format("{:<{}}  {}", name + ":", width, name == "status" ? Coloured(value) : Harmless(value)).c_str());
}

void PrintJson(const Json& value) {
  std::puts(value.dump(2, ' ', false, nlohmann::detail::error_handler_t::replace).c_str());
}

std::string Harmless(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    // U+0080 to U+009F are control characters too: U+009B begins a sequence as ESC [ does.
    const bool two_bytes = c == 0xC2 && next >= 0x80 && next <= 0x9F;
    out += c < 0x20 || c == 0x7F || two_bytes ? '?' : text[i];
    if (two_bytes) ++i;
  }
  return out;
}

std::string Coloured(std::string_view text) {
  const std::string status = Harmless(text);
  static const bool colour = Terminal() && std::getenv("NO_COLOR") == nullptr;
  if (!colour || status.empty()) return status;
  const bool good = status == "ok" || status == "new" || status == "unchanged";
  const bool bad = status == "failed" || status == "timeout" || status == "killed" || status == "not_started" ||
                   status == "interrupted" || status == "error" || status == "missing";
  return fmt::format("\x1b[{}m{}\x1b[0m", good ? 32 : bad ? 31 : 33, status);
}

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : DumpJson(*found);
}

std::string ShortTime(const std::string& iso) {
  if (iso.size() < 19) return iso;
  std::string text = iso.substr(0, 19);
  text[10] = ' ';
  return text;
}

}  // namespace backplane::cli
