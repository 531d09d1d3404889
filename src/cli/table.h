// What people read: tables, lists and a little colour.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace backplane::cli {

/// Rows under a heading, columns as wide as their content; the last column is not padded, and is
/// cut at the width of the terminal if there is one. Texts are made harmless; a column STATUS is
/// coloured.
void PrintTable(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows);

/// "Name:  value" lines; empty values are left out. Texts are made harmless; "status" is coloured.
void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields);

/// Indented JSON.
void PrintJson(const Json& value);

/// Control characters as '?': what a plugin found must not drive the terminal.
std::string Harmless(std::string_view text);

/// The harmless text in green (good), red (bad) or yellow (else) if standard output is a terminal and
/// NO_COLOR is unset.
std::string Coloured(std::string_view status);

/// A member as text: "" for null or absent, numbers and booleans as JSON writes them.
std::string Text(const Json& object, const char* key);

/// "2026-08-22T10:00:00.123Z" → "2026-08-22 10:00:00".
std::string ShortTime(const std::string& iso);

}  // namespace backplane::cli
