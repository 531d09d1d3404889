// The checks of what a manifest says of its objects: columns, their mapping to devices, and row filters.
#include <array>

#include "base/text.h"
#include "dialects/netalertx/checker.h"
#include "dialects/netalertx/columns.h"
#include "dialects/netalertx/mapping.h"

namespace backplane::netalertx {
namespace {

constexpr auto kThresholdKeys = std::to_array<std::string_view>({"maximum", "hexColor"});
constexpr auto kReplaceKeys = std::to_array<std::string_view>({"equals", "replacement"});
constexpr auto kFunctionKeys = std::to_array<std::string_view>({"type", "param"});
constexpr auto kFunctionTypes = std::to_array<std::string_view>({"regex", "eval"});
// The one field of a page that rows are compared with.
constexpr auto kFilterFields = std::to_array<std::string_view>({"txtMacFilter"});

using Else = Checker::Else;

class ColumnChecker {
 public:
  explicit ColumnChecker(Checker& checker) : checker_(checker) {}

  void All(const Json& document) {
    checker_.EachObject(document, "", "database_column_definitions",
                        [&](const Json& column, const std::string& where) { Column(column, where); });
    Table(document);
    checker_.EachObject(
        document, "", "data_filters", [&](const Json& filter, const std::string& where) { Filter(filter, where); },
        Else::kWarning);
  }

 private:
  void Warn(const std::string& where, std::string_view key, std::string message) {
    checker_.Warn(Checker::Path(where, key), std::move(message));
  }

  void Column(const Json& column, const std::string& where) {
    checker_.UnknownKeys(column, where, kColumnKeys);
    const Json* data = Checker::Get(column, "mapped_to_column_data");
    if (data && !data->is_null() && (!data->is_object() || !data->contains("value")))
      Warn(where, "mapped_to_column_data", "expected {\"value\": TEXT}");
    const auto name = checker_.Text(column, where, "column");
    if (name && ObjectField(*name).empty() && (!data || data->is_null()))
      Warn(where, "column",
           fmt::format("\"{}\" is no field of an object, and there is no mapped_to_column_data that "
                       "gives it a value{}",
                       Shorten(*name, 60), DidYouMean(*name, kColumnNames)));
    if (!column.contains("show")) Warn(where, "show", "is missing: the column is not shown");
    checker_.Flag(column, where, "show");
    checker_.TextIfAny(column, where, "css_classes");
    Type(column, where);
    checker_.EachObject(
        column, where, "options", [&](const Json& option, const std::string& item) { Option(option, item); },
        Else::kWarning);
    checker_.Localized(column, where);
    if (const auto target = checker_.TextIfAny(column, where, "mapped_to_column")) {
      ++mapped_;
      if (*target == "scanMac" || *target == "scanLastIP" || ToLower(*target) == "cur_mac" ||
          ToLower(*target) == "cur_ip")
        identified_ = true;
      targets_.push_back({Checker::Path(where, "mapped_to_column"), *target});
    }
  }

  void Type(const Json& column, const std::string& where) {
    const Json* type = Checker::Get(column, "type");
    if (!type) return Warn(where, "type", "is missing: the value is shown as text");
    if (!type->is_string())
      return Warn(
          where, "type",
          fmt::format("expected text such as \"label\", got {}: the value is shown as text", type->type_name()));
    for (const std::string_view part : Split(type->get_ref<const std::string&>(), '.'))
      checker_.Word(Checker::Path(where, "type"), part, DisplayTypes(), "the value is shown as text");
  }

  void Option(const Json& option, const std::string& where) {
    if (option.contains("maximum") || option.contains("hexColor")) {
      checker_.UnknownKeys(option, where, kThresholdKeys);
      const Json* limit = Checker::Get(option, "maximum");
      if (!limit || !limit->is_number()) Warn(where, "maximum", "expected a number: values below it get the colour");
      checker_.Text(option, where, "hexColor", Else::kWarning);
    } else if (option.contains("equals") || option.contains("replacement")) {
      checker_.UnknownKeys(option, where, kReplaceKeys);
      if (!option.contains("equals")) Warn(where, "equals", "is missing: the value that is replaced");
      checker_.Text(option, where, "replacement", Else::kWarning);
    } else if (option.contains("param")) {
      checker_.UnknownKeys(option, where, kFunctionKeys);
      if (const auto type = checker_.Text(option, where, "type", Else::kWarning))
        checker_.Word(Checker::Path(where, "type"), *type, kFunctionTypes, "it changes nothing");
      checker_.Text(option, where, "param", Else::kWarning);
    } else {
      checker_.Warn(where, "expected {maximum, hexColor}, {equals, replacement} or {type, param}");
    }
  }

  void Table(const Json& document) {
    const Json* table = Checker::Get(document, "mapped_to_table");
    if (!table) {
      if (mapped_ > 0)
        checker_.Warn("mapped_to_table", fmt::format("is missing: mapped_to_column of {} column{} has no effect",
                                                     mapped_, mapped_ == 1 ? "" : "s"));
      return;
    }
    if (!table->is_string()) return checker_.Error("mapped_to_table", "expected text");
    if (*table != "CurrentScan")
      return checker_.Warn("mapped_to_table", "only CurrentScan is known: rows are kept as objects and not mapped");
    for (const auto& [where, target] : targets_)
      if (!IsScanColumn(target))
        checker_.Warn(where, fmt::format("CurrentScan has no column \"{}\": nothing is mapped{}", Shorten(target, 60),
                                         DidYouMean(target, kScanColumns)));
    if (!identified_)
      checker_.Warn("database_column_definitions",
                    "no column is mapped to scanMac or scanLastIP: no device can come of a row");
  }

  void Filter(const Json& filter, const std::string& where) {
    checker_.UnknownKeys(filter, where, kFilterKeys);
    if (const auto column = checker_.TextIfAny(filter, where, "compare_column");
        !column || ObjectField(*column).empty())
      Warn(where, "compare_column",
           fmt::format("expected a field of an object, such as objectPrimaryId{}",
                       column ? DidYouMean(*column, kColumnNames) : ""));
    if (const auto compare = checker_.TextIfAny(filter, where, "compare_operator"))
      checker_.Word(Checker::Path(where, "compare_operator"), *compare, kOperators, "nothing is left out");
    if (const auto field = checker_.TextIfAny(filter, where, "compare_field_id"))
      checker_.Word(Checker::Path(where, "compare_field_id"), *field, kFilterFields, "nothing is left out");
    if (const auto text = checker_.TextIfAny(filter, where, "compare_js_template");
        text && text->find("{value}") == std::string::npos)
      Warn(where, "compare_js_template", "has no {value}: rows are compared with nothing of theirs");
    checker_.Flag(filter, where, "compare_use_quotes");
  }

  struct Target {
    std::string where;
    std::string name;
  };

  Checker& checker_;
  std::vector<Target> targets_;
  std::size_t mapped_ = 0;
  bool identified_ = false;
};

}  // namespace

void CheckColumns(Checker& checker, const Json& document) { ColumnChecker(checker).All(document); }

}  // namespace backplane::netalertx
