#include "package/diff.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace backplane::package {
namespace {

constexpr std::size_t kMostLines = 20'000;
constexpr std::size_t kMostEdits = 4'000;  // beyond it, the rest is one change
constexpr std::size_t kContext = 3;

struct Edit {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

std::vector<std::string_view> LinesOf(std::string_view text) {
  if (text.empty()) return {};
  auto lines = Split(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

// Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986), between what is equal at both ends.
std::vector<Edit> EditsOf(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  const auto n = static_cast<std::ptrdiff_t>(a.size());
  const auto m = static_cast<std::ptrdiff_t>(b.size());
  const auto at = [](const auto& lines, std::ptrdiff_t i) { return lines[static_cast<std::size_t>(i)]; };
  const std::ptrdiff_t most = std::min<std::ptrdiff_t>(n + m, kMostEdits);
  std::vector<std::map<std::ptrdiff_t, std::ptrdiff_t>> steps;  // furthest x by diagonal, before each step
  std::map<std::ptrdiff_t, std::ptrdiff_t> furthest{{1, 0}};
  bool found = false;
  for (std::ptrdiff_t d = 0; d <= most && !found; ++d) {
    steps.push_back(furthest);
    for (std::ptrdiff_t k = -d; k <= d && !found; k += 2) {
      const bool down = k == -d || (k != d && furthest[k - 1] < furthest[k + 1]);
      std::ptrdiff_t x = down ? furthest[k + 1] : furthest[k - 1] + 1;
      while (x < n && x - k < m && at(a, x) == at(b, x - k)) ++x;
      furthest[k] = x;
      found = x >= n && x - k >= m;
    }
  }
  std::vector<Edit> edits;
  if (!found) {
    for (const std::string_view line : a) edits.push_back({'-', line});
    for (const std::string_view line : b) edits.push_back({'+', line});
    return edits;
  }
  std::ptrdiff_t x = n;
  std::ptrdiff_t y = m;
  for (auto d = static_cast<std::ptrdiff_t>(steps.size()) - 1; d >= 0; --d) {
    auto& before = steps[static_cast<std::size_t>(d)];
    const std::ptrdiff_t k = x - y;
    const bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
    const std::ptrdiff_t from = down ? k + 1 : k - 1;
    const std::ptrdiff_t from_x = before[from];
    const std::ptrdiff_t from_y = from_x - from;
    while (x > from_x && y > from_y && x > 0 && y > 0) edits.push_back({' ', at(a, --x)}), --y;
    if (d == 0) break;
    if (down)
      edits.push_back({'+', at(b, --y)});
    else
      edits.push_back({'-', at(a, --x)});
  }
  std::reverse(edits.begin(), edits.end());
  return edits;
}

std::string Hunks(const std::vector<Edit>& edits) {
  std::vector<bool> shown(edits.size(), false);
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].sign == ' ') continue;
    const std::size_t end = std::min(edits.size(), i + kContext + 1);
    for (std::size_t j = i > kContext ? i - kContext : 0; j < end; ++j) shown[j] = true;
  }
  std::string out;
  std::size_t before = 1;
  std::size_t after = 1;
  for (std::size_t i = 0; i < edits.size();) {
    if (!shown[i]) {
      ++before, ++after, ++i;
      continue;
    }
    const std::size_t first_before = before;
    const std::size_t first_after = after;
    std::string body;
    for (; i < edits.size() && shown[i]; ++i) {
      body += fmt::format("{}{}\n", edits[i].sign, edits[i].line);
      if (edits[i].sign != '+') ++before;
      if (edits[i].sign != '-') ++after;
    }
    out += fmt::format("@@ -{},{} +{},{} @@\n{}", first_before, before - first_before, first_after, after - first_after,
                       body);
  }
  return out;
}

Result<std::string> ContentOf(const TreeFile* file, const Blobs& blobs) {
  if (file == nullptr) return std::string();
  return blobs.Get(file->content);
}

// By the path below the root: the same plugin may lie elsewhere.
std::map<std::string, const TreeFile*> ByPath(const Tree& tree) {
  std::map<std::string, const TreeFile*> files;
  const std::size_t skip = tree.root == "/" ? 1 : tree.root.size() + 1;
  for (const TreeFile& file : tree.files) files[file.path.substr(skip)] = &file;
  return files;
}

}  // namespace

std::string DiffTexts(std::string_view before, std::string_view after) {
  if (before == after) return {};
  const auto a = LinesOf(before);
  const auto b = LinesOf(after);
  const bool text = IsUtf8(before) && IsUtf8(after) && before.find('\0') == std::string_view::npos &&
                    after.find('\0') == std::string_view::npos;
  if (!text || a.size() > kMostLines || b.size() > kMostLines)
    return fmt::format("differs: {} bytes before, {} bytes now\n", before.size(), after.size());
  return Hunks(EditsOf(a, b));
}

Result<std::string> DiffTrees(const Tree& before, const Tree& after, const Blobs& blobs) {
  const auto old_files = ByPath(before);
  const auto new_files = ByPath(after);
  std::map<std::string, std::pair<const TreeFile*, const TreeFile*>> files;
  for (const auto& [path, file] : old_files) files[path].first = file;
  for (const auto& [path, file] : new_files) files[path].second = file;
  std::string out;
  for (const auto& [path, pair] : files) {
    const auto& [was, is] = pair;
    if (was != nullptr && is != nullptr && was->content == is->content && was->executable == is->executable) continue;
    out += fmt::format("--- {}\n+++ {}\n", was == nullptr ? "/dev/null" : path, is == nullptr ? "/dev/null" : path);
    if (is != nullptr && is->executable && (was == nullptr || !was->executable)) out += "may be executed\n";
    BACKPLANE_ASSIGN(const std::string old_text, ContentOf(was, blobs));
    BACKPLANE_ASSIGN(const std::string new_text, ContentOf(is, blobs));
    out += DiffTexts(old_text, new_text);
  }
  return out;
}

}  // namespace backplane::package
