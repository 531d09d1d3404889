// The plugins of a site: what its folders hold, read by its dialects.
//
// Immutable, so that any thread may read it; when the folders are read again, another takes its place.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/site.h"
#include "plugin/codec.h"
#include "plugin/plugin_files.h"

namespace backplane {

struct Plugin {
  Manifest manifest;
  const Codec* codec = nullptr;
  Settings settings;                         ///< effective values
  std::shared_ptr<const PluginFiles> files;  ///< null: it runs where it lies
  std::string source;                        ///< what declares it, where it was found
  std::filesystem::path site_folder;         ///< of the site's folders, the one that it was found by
  /// Whether a lane of one could go on as a lane of the other.
  bool operator==(const Plugin& other) const;
};

/// What of a plugin that was found is in force.
struct Admitted {
  Manifest manifest;  ///< of the version that may run
  std::shared_ptr<const PluginFiles> files;
  std::string remark;  ///< a warning, "changed files wait for approval"; empty: none
};
/// Decides about each plugin that is found. kDenied: none of its versions may run, and why.
using Gate = std::function<Result<Admitted>(const Codec& codec, const Manifest& found)>;

/// Values that do not come from files: of layers kKept and kSet, by dialect.
using StoredSettings = std::map<std::string, GivenSettings, std::less<>>;

class Catalog {
 public:
  /// Reads every folder. Never fails: what is wrong is in findings(), and that plugin is left
  /// out. `dialects` outlives the catalog. A plugin of `before` that an error is about now stays as
  /// it was, and the finding says so: an edit that is not finished, or a folder that is away for a
  /// moment, stops nothing. Such an error names its file, or what led there: the site's folder or one
  /// above the file. What was deleted goes, and so does what the gate denies. Without a gate,
  /// everything that is found is in force.
  /// Of the values that are given for a setting the strongest layer's counts, and within a layer the first.
  /// An ecosystem's own configuration, which may say what runs, counts for folders of the site configuration only,
  /// and cannot refer to secrets.
  static Catalog Load(const config::Site& site, const DialectList& dialects, const Catalog* before = nullptr,
                      const Gate& gate = {}, const StoredSettings& stored = {});

  /// A warning for each value of the site configuration, or of an override, that nothing declares: a
  /// misspelt key, or one of a plugin that was left out.
  std::vector<Finding> UnknownSettings(const DialectList& dialects) const;

  const std::vector<Plugin>& plugins() const { return plugins_; }
  /// The dialects that it was loaded with.
  const std::vector<const Codec*>& codecs() const { return codecs_; }
  const std::vector<Finding>& findings() const { return findings_; }
  /// By id, or by short name if only one plugin has it. kNotFound and kConflict say so.
  Result<const Plugin*> Find(std::string_view name) const;
  const Plugin* FindById(std::string_view id) const;
  /// Values of all plugins of a dialect, and what is given for it.
  const Settings& DialectSettings(std::string_view dialect) const;
  /// What is given for a dialect, of each setting what counts.
  const GivenSettings& Given(std::string_view dialect) const;
  /// What its plugins declare. They live as long as the catalog.
  std::vector<const Manifest*> ManifestsOf(std::string_view dialect) const;

  bool operator==(const Catalog& other) const;

 private:
  /// "; there are A, B" if that is short.
  std::string Choices() const;
  /// Null, with a finding: it is nobody's.
  const Codec* CodecOf(const config::PluginFolder& folder, const DialectList& dialects);
  void Give(const Codec& codec, const std::string& key, GivenValue value);
  static void KeepLastReading(const GivenSettings& before, OwnConfig& own);
  void GiveOwn(const config::PluginFolder& folder, const Codec& codec, const Catalog* before);
  /// Values of common settings that do not fit are left out.
  void SettleCommon(const Codec& codec);
  void AddFolder(const config::PluginFolder& folder, const Codec& codec, const Gate& gate);
  void Add(Admitted admitted, const Codec& codec, const std::string& source, const Settings& values,
           const config::PluginFolder& folder);
  /// With where the value comes from, if the finding is about one.
  void AddFinding(const Codec& codec, Finding finding);
  void Keep(const Catalog& before);
  /// The error because of which a plugin that is not in force any more stays; null: none.
  Finding* ReasonToKeep(const Plugin& plugin);

  std::vector<const Codec*> codecs_;
  std::vector<Plugin> plugins_;
  std::map<std::string, std::string, std::less<>> sources_;  // where each id was found first
  std::map<std::string, std::size_t, std::less<>> by_id_;    // place in plugins_
  std::set<std::string, std::less<>> files_;                 // that declare something
  std::set<std::string, std::less<>> denied_;                // ids, by the gate
  std::vector<Finding> findings_;
  std::map<std::string, Settings, std::less<>> dialect_settings_;
  StoredSettings given_;
};

}  // namespace backplane
