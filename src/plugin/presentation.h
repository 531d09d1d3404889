// What a page shows of a plugin: a form for each setting and a column for each thing that its objects tell, in
// one language. Made when somebody looks, so that nobody else keeps texts in twenty languages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "plugin/manifest.h"

namespace backplane {

struct SettingForm {
  std::string key;
  std::string title;
  std::string help;
  /// JSON Schema of the value, with `title`, `description`, `default`, and what only a form needs in words that
  /// begin with "x-": docs/api.md lists them.
  Json schema;
};

/// One step of how a value is shown; the next one goes on with what came of it.
struct Display {
  std::string kind;        ///< "text", "device", "replace", ...: docs/api.md lists them
  Json options = nullptr;  ///< what the kind needs to know; null: nothing
  bool operator==(const Display&) const = default;
};

struct ColumnView {
  std::string field;  ///< of an object: "primary", "watched1", ...; empty: `constant` is shown
  std::string constant;
  std::string title;
  std::string help;
  std::string css;  ///< classes that its author asks for
  bool shown = true;
  std::string otherwise;  ///< shown for an empty value
  std::vector<Display> display;
};

/// Which objects are shown where a page is about one device: those of whose `field` this is true.
struct RowFilter {
  std::string field;
  std::string compare;  ///< "==", "!=", "<", ...
  std::string with;     ///< "mac": of the device that the page is about
};

struct Presentation {
  std::vector<std::string> languages;  ///< that there are texts in, as their author writes them ("en_us")
  std::string title;
  std::string description;
  std::string icon;                   ///< HTML; empty: none
  std::vector<SettingForm> settings;  ///< one for each of the manifest's, in their order
  std::vector<ColumnView> columns;
  std::vector<RowFilter> filters;
};

Json ToJson(const ColumnView& column);
Json ToJson(const RowFilter& filter);

/// A form that knows of each setting what its manifest's `settings` say.
Presentation PresentPlainly(const Manifest& manifest);

}  // namespace backplane
