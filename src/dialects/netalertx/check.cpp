#include "dialects/netalertx/check.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/ranges.h>

#include "base/text.h"
#include "dialects/netalertx/checker.h"

namespace backplane::netalertx {
namespace {

void Prefix(Checker& checker, const Json& document) {
  const auto prefix = checker.Text(document, "", "unique_prefix");
  if (prefix && !IsPrefix(*prefix))
    checker.Error("unique_prefix", fmt::format("\"{}\": expected letters, digits and _, a letter first, 64 at most",
                                               Shorten(*prefix, 70)));
}

void CodeName(Checker& checker, const Json& document, const std::string& file) {
  if (!document.contains("code_name")) return checker.Warn("code_name", "is missing: the name of the plugin's folder");
  const auto name = checker.TextIfAny(document, "", "code_name");
  const std::string folder = std::filesystem::path(file).parent_path().filename();
  if (name && !folder.empty() && *name != folder)
    checker.Warn("code_name",
                 fmt::format("\"{}\" is not the name of the plugin's folder, {}", Shorten(*name, 60), folder));
}

void Order(Checker& checker, const Json& document) {
  const Json* order = Checker::Get(document, "execution_order");
  if (!order) return;
  const std::string text = order->is_string() ? order->get<std::string>() : std::string();
  const std::string layer = text.starts_with("Layer_") ? text.substr(6) : std::string();
  const bool number = !layer.empty() && layer.size() < 10 && layer.find_first_not_of("0123456789") == std::string::npos;
  if (!number && layer != "N")
    checker.Error("execution_order",
                  fmt::format("expected Layer_ and a number, or Layer_N, got {}", Shorten(DumpJson(*order), 40)));
}

void Params(Checker& checker, const Json& document) {
  std::set<std::string> names;
  checker.EachObject(document, "", "params", [&](const Json& param, const std::string& where) {
    checker.UnknownKeys(param, where, kParamKeys);
    const auto name = checker.Text(param, where, "name");
    if (name && name->empty()) checker.Error(Checker::Path(where, "name"), "is empty");
    if (name && !names.insert(*name).second)
      checker.Warn(Checker::Path(where, "name"),
                   fmt::format("\"{}\" is there already: the first counts", Shorten(*name, 40)));
    checker.Text(param, where, "value");
    if (const auto type = checker.Text(param, where, "type"); type && !OneOf(kParamTypes, *type))
      checker.Error(Checker::Path(where, "type"), fmt::format("\"{}\" is neither setting nor sql{}", Shorten(*type, 40),
                                                              DidYouMean(*type, kParamTypes)));
    checker.Flag(param, where, "base64");
    checker.Flag(param, where, "timeoutMultiplier");
  });
}

void Top(Checker& checker, const Json& document, const std::string& file) {
  if (!document.is_object()) return checker.Error("", fmt::format("expected an object, got {}", document.type_name()));
  checker.UnknownKeys(document, "", kManifestKeys);
  CodeName(checker, document, file);
  Prefix(checker, document);
  Order(checker, document);
  if (const auto source = checker.Text(document, "", "data_source"); source && !OneOf(kDataSources, *source))
    checker.Error("data_source", fmt::format("\"{}\" is none of {}{}", Shorten(*source, 40),
                                             fmt::join(kDataSources, ", "), DidYouMean(*source, kDataSources)));
  if (const auto type = checker.Text(document, "", "plugin_type"))
    checker.Word("plugin_type", *type, kPluginTypes, "it is a group of its own");
  for (const char* key : {"enabled", "show_ui", "additionalProperties"}) checker.Flag(document, "", key);
  checker.Localized(document, "");
  for (const char* key : {"display_name", "description"})
    if (!document.contains(key) && !Checker::IsLocalized(document, key))
      checker.Warn(key, "is missing: a list of {language_code, string}");
  Params(checker, document);
  CheckSettings(checker, document);
  CheckCommand(checker, document, file);
  CheckColumns(checker, document);
  if (document.contains("timeout")) checker.Warn("timeout", "has no effect: the limit is the setting RUN_TIMEOUT");
}

}  // namespace

std::vector<Finding> CheckManifest(const Json& document, const std::string& file) {
  Checker checker(file);
  Top(checker, document, file);
  return checker.Take();
}

bool HasError(const std::vector<Finding>& findings) { return std::any_of(findings.begin(), findings.end(), IsError); }

bool IsPrefix(std::string_view text) {
  return !text.empty() && text.size() <= 64 && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string UnknownRun(std::string_view value) {
  return fmt::format("\"{}\" is none of {}{}", Shorten(value, 40), fmt::join(kRunValues, ", "),
                     DidYouMean(value, kRunValues));
}

}  // namespace backplane::netalertx
