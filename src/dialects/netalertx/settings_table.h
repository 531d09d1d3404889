// The files in which scripts look settings up: the Settings table and app.conf.
#pragma once

#include <string>
#include <vector>

#include "plugin/manifest.h"

namespace backplane::netalertx {

/// A row of the table Settings; every column is text but the last.
struct SettingRow {
  std::string key, name, description, type, options, group, value, events;
  bool overridden = false;
  bool operator==(const SettingRow&) const = default;
};

/// A row for each of `values`, and another, KEY__metadata, for each that `manifests` or the core declare.
/// `values` are as scripts see them and become what the ecosystem stores: Python text, encoded where the
/// type has transformers, which readers reverse. `given` says what is overridden; may be null.
std::vector<SettingRow> SettingRows(const std::vector<const Manifest*>& manifests, const Settings& values,
                                    const GivenSettings* given);

/// The rows as the snapshot table_settings.json.
std::string TableSettings(const std::vector<SettingRow>& rows);

/// The values as an app.conf: a line with the assignment of a literal for each, as scripts execute this file.
std::string AppConfText(const std::vector<const Manifest*>& manifests, const Settings& values);

}  // namespace backplane::netalertx
