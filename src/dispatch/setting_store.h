// Values of settings that people set over the API, and those that are made up once: kept in the store, their
// secrets in the vault.
#pragma once

#include <string>

#include "plugin/catalog.h"
#include "store/vault.h"

namespace backplane::dispatch {

/// Of the default organisation, whose the plugins are. What it refers to outlives it. Thread-safe; not to be
/// called from the store's writer thread. Changes are in the audit log, and in force with the next catalog.
class SettingStore {
 public:
  SettingStore(store::Database& database, store::Vault& vault, const Clock& clock)
      : database_(database), vault_(vault), clock_(clock) {}

  /// For Catalog::Load().
  Result<StoredSettings> Load();

  /// Sets a value that fits the setting. Of a secret the texts go into the vault, as settings/DIALECT/KEY, and
  /// what is stored refers to them. `by` is the actor. kInvalid: the secret is no text, no reference, and no list
  /// of these; else it fails as Vault::Set() does.
  Status Set(const std::string& dialect, const Setting& setting, const Json& value, const std::string& by);

  /// Forgets what was set, with its secrets. kNotFound: nothing was.
  Status Unset(const std::string& dialect, const std::string& key, const std::string& by);

  /// Makes up what plugins of the catalog need, nobody gives, and nobody should guess. Says whether there was
  /// something: then the catalog is to be loaded again.
  Result<bool> KeepFresh(const Catalog& catalog);

 private:
  Result<Json> Hide(const std::string& name, const Json& value, const std::string& by);
  Status Forget(const std::string& dialect, const std::string& key, const Json& before, const Json& now,
                const std::string& by);
  Status Put(const std::string& dialect, const Setting& setting, const Json& value, const std::string& by, bool kept);

  store::Database& database_;
  store::Vault& vault_;
  const Clock& clock_;
};

}  // namespace backplane::dispatch
