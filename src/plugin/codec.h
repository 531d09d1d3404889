// What the core knows of a dialect: how its plugins are found, started and understood.
//
// All functions are thread-safe: a Codec holds no state that changes after construction.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "plugin/manifest.h"
#include "plugin/presentation.h"

namespace backplane {

/// Facts about a resource id, as stored.
struct Enrichment {
  std::string resource_id;
  std::string name_space;
  std::string body;  ///< JSON
  TimePoint at;
  TimePoint expires;
};

/// What a run may know of its surroundings.
struct RunContext {
  RunId run = 0;
  std::filesystem::path work;   ///< private folder of this run; exists, is empty
  std::filesystem::path share;  ///< the program's own files (base/files.h ShareFolder())
  std::string python;           ///< interpreter for Python scripts, an absolute path
  std::string path;             ///< folders to look for programs in before the usual ones, "A:B"; may be empty
  /// The dialect's installation (dispatch/installation.h); empty: there is none, as without a daemon.
  std::filesystem::path installation;
  TimePoint now;
  /// Values of every loaded plugin of the dialect, and of the dialect itself, by key: some
  /// ecosystems let each plugin read the settings of all.
  const Settings* all_settings = nullptr;
  /// What these plugins declare, and where values that somebody gave come from; empty without a catalog.
  std::vector<const Manifest*> manifests = {};
  const GivenSettings* given = nullptr;
  /// What the run is about; null if its plugin has no targets.
  const Resource* resource = nullptr;
  /// What is known now of a resource id, in one namespace or, if that is empty, in all.
  std::function<Result<std::vector<Enrichment>>(const std::string& resource_id, const std::string& name_space)>
      enrichments;
};

/// What to execute. Complete: the runtime adds nothing from the daemon's own environment.
struct Invocation {
  std::string runtime;
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
  std::filesystem::path working_folder;
  Limits limits;
  /// Texts among argv that nobody may see: they are left out of logs and of what is stored.
  std::vector<std::string> secrets;
  /// Files that decode() wants to see, by the name it will ask for. Absent ones are left out.
  /// A trailing "*" in the last component matches every file that starts so.
  std::vector<std::filesystem::path> result_files;
};

/// The text with *** for each of the secrets and for its base64 form.
std::string MaskSecrets(std::string_view text, const std::vector<std::string>& secrets);

/// The command line for people, with *** for each secret.
std::string DisplayCommand(const Invocation& invocation);

/// What came of executing an invocation.
struct Output {
  RunStatus status = RunStatus::kOk;
  std::optional<int> exit_code;
  std::string message;           ///< why it did not end well; empty otherwise
  std::string log;               ///< standard output and error, the last `limits.output_bytes`
  std::int64_t log_dropped = 0;  ///< bytes that were written beyond that
  struct ResultFile {
    std::string name;  ///< file name without folder
    std::string content;
    std::string error;  ///< why it could not be read; then content is empty
  };
  std::vector<ResultFile> files;
};

struct ReadResult {
  std::vector<Manifest> manifests;
  std::vector<Finding> findings;
};

/// What an ecosystem's own configuration says.
struct OwnConfig {
  GivenSettings base;       ///< below the site configuration
  GivenSettings overrides;  ///< above everything
  std::vector<Finding> findings;
};

/// A plugin that somebody begins to write.
struct NewPlugin {
  std::string name;
  std::string short_name;        ///< what its ecosystem calls it; empty: made of the name
  std::filesystem::path folder;  ///< where it is to be; absolute
  std::filesystem::path share;   ///< base/files.h ShareFolder(), where templates lie
};

class Codec {
 public:
  virtual ~Codec() = default;

  /// Name of the dialect.
  virtual std::string_view name() const = 0;

  /// Whether `path` (a plugin, or a folder of plugins) is laid out as this dialect's are. Reads
  /// names only.
  virtual bool Recognises(const std::filesystem::path& path) const = 0;

  /// Reads the plugin at `path`, or every plugin in the folder `path`. `site` holds the values
  /// that the site configuration gives, by key: they may decide triggers and limits. Never
  /// fails as a whole: what is wrong is in `findings`, and a plugin with an error is left out.
  /// Absolute paths that a plugin names are looked for below `root`: a copy of it may lie elsewhere.
  /// A manifest's `file` can be given as `path`.
  virtual ReadResult Read(const std::filesystem::path& path, const Settings& site,
                          const std::filesystem::path& root = {}) const = 0;

  /// The values that a run of `manifest` sees: defaults overlaid by `site`. kInvalid names the
  /// key whose value does not fit its type.
  virtual Result<Settings> Effective(const Manifest& manifest, const Settings& site) const = 0;

  /// Settings that belong to the dialect itself, not to one of its plugins.
  virtual std::vector<Setting> CommonSettings() const { return {}; }

  /// The value of a common setting as runs see it. kInvalid says what was expected.
  virtual Result<Json> CommonValue(const std::string& key, const Json& given) const;

  /// Reads the configuration that the ecosystem keeps for the plugins at `plugins`: at `config`, or if that is
  /// empty where it usually lies; nothing, if there is none. Never fails as a whole.
  virtual OwnConfig ReadConfig(const std::filesystem::path& plugins, const std::filesystem::path& config) const;

  /// What a page shows of `manifest` in `language` ("de_de", "de-AT", "de"); a text that is not there in it comes
  /// in English, or else in the language that its author gives first, and so does all of it if that is empty.
  /// HTML in texts is their author's: not safe to show as it is.
  virtual Presentation Present(const Manifest& manifest, std::string_view language) const;

  /// Makes a plugin that runs as it is, for its author to change. kInvalid: a name that will not do; kConflict:
  /// the folder is there; kUnavailable: it cannot be written, or the dialect has no template.
  virtual Status MakePlugin(const NewPlugin& wanted) const;

  /// Turns a job into what to execute; writes the files that the script expects into
  /// `context.work`.
  virtual Result<Invocation> Prepare(const Manifest& manifest, const Job& job, const Settings& settings,
                                     const RunContext& context) const = 0;

  /// Turns raw output into records. Pure: no clock, no I/O. `at` stands in for records without
  /// a usable time of their own. `all` are the values of every loaded plugin of the dialect, and of the dialect
  /// itself. Never fails: what cannot be taken is in `refused`.
  virtual Batch Decode(const Manifest& manifest, const Settings& settings, const Settings& all, const Output& output,
                       TimePoint at) const = 0;
};

/// The dialects of this program, in the order they are asked. Frozen after start.
using DialectList = std::vector<std::unique_ptr<Codec>>;

}  // namespace backplane
