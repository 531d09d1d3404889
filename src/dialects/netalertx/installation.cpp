#include "dialects/netalertx/installation.h"

#include "base/files.h"
#include "dialects/netalertx/app_files.h"

namespace backplane::netalertx {
namespace {

class NetAlertXInstallation final : public dispatch::Installation {
 public:
  explicit NetAlertXInstallation(InstallationParts parts) : parts_(std::move(parts)), folders_(parts_.home) {}

  std::string_view dialect() const override { return "netalertx"; }
  const std::filesystem::path& folder() const override { return parts_.home; }
  void SetCatalog(std::shared_ptr<const Catalog>) override {}
  Status CatchUp(Millis) override { return {}; }
  std::filesystem::path results() const override { return folders_.plugin_log; }
  std::string PluginOf(std::string_view) const override { return ""; }

 private:
  const InstallationParts parts_;
  const AppFolders folders_;
};

}  // namespace

Result<std::unique_ptr<dispatch::Installation>> OpenInstallation(InstallationParts parts) {
  const AppFolders folders(parts.home);
  for (const auto& folder : {folders.root, folders.config, folders.database, folders.api, folders.plugin_log})
    BACKPLANE_TRY(MakePrivateFolder(folder));
  return std::make_unique<NetAlertXInstallation>(std::move(parts));
}

}  // namespace backplane::netalertx
