// What the plugins in force and their settings are, as rows of app.db and as plugins.json. Pure.
#pragma once

#include <string>
#include <vector>

#include "dialects/netalertx/settings_table.h"
#include "plugin/manifest.h"

namespace backplane {
class Catalog;
}

namespace backplane::netalertx {

/// A row of Plugins_Language_Strings.
struct LanguageString {
  std::string language, key, text;
  bool operator==(const LanguageString&) const = default;
};

/// Values that nobody may see are empty, since these files are everybody's.
struct CatalogRows {
  Settings values;  ///< of all plugins and of the dialect itself
  std::vector<SettingRow> settings;
  std::vector<LanguageString> strings;
  std::string plugins;  ///< {"data": [manifests, with the `value` of each setting]}
  bool operator==(const CatalogRows&) const = default;
};

CatalogRows RowsOf(const Catalog& catalog);
/// Without a catalog: `manifests` with these values.
CatalogRows RowsOf(const std::vector<const Manifest*>& manifests, const Settings& values, const GivenSettings* given);

}  // namespace backplane::netalertx
