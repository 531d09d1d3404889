// What differs between two trees, for people.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "package/tree.h"

namespace backplane::package {

/// A unified diff of two texts with three lines of context, without its head; empty if they are
/// equal. What is no text, or longer than 20,000 lines, is said to differ and no more.
std::string DiffTexts(std::string_view before, std::string_view after);

/// A unified diff of two trees: files that were added, removed, changed, or may be executed now.
/// kInternal: a stored content is damaged.
Result<std::string> DiffTrees(const Tree& before, const Tree& after, const Blobs& blobs);

}  // namespace backplane::package
