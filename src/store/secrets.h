// The rows of secrets: names, and values that only the Vault (vault.h) can read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"

namespace backplane::store {

/// What may be told of a secret.
struct SecretInfo {
  std::string name;
  TimePoint set_at;
  std::string set_by;  ///< an actor, as in the audit log
};

/// Secrets of one organisation.
class Secrets {
 public:
  Secrets(Connection& connection, OrgId org) : db_(connection), org_(org) {}

  /// Adds or replaces.
  void Put(const SecretInfo& info, std::string_view sealed);
  /// Whether there was one.
  bool Remove(const std::string& name);
  /// The sealed value.
  std::optional<std::string> Find(const std::string& name);
  /// By name, from the one after `after`.
  std::vector<SecretInfo> List(const std::string& after, int limit);

 private:
  Connection& db_;
  OrgId org_;
};

/// Names a secret among those of all organisations.
struct SecretKey {
  OrgId org = 0;
  std::string name;
};
std::vector<SecretKey> AllSecrets(Connection& connection);
/// Replaces the sealed value alone.
void Reseal(Connection& connection, const SecretKey& key, std::string_view sealed);

/// The installation's data key, which encrypts every secret, encrypted itself.
struct SealedDataKey {
  std::string origin;  ///< where the key that opens it comes from; see key_source.h
  std::string sealed;
};
std::optional<SealedDataKey> FindDataKey(Connection& connection);
void PutDataKey(Connection& connection, const SealedDataKey& key);
/// Removes it if there is no secret left that it encrypts; whether it went.
bool RemoveUnusedDataKey(Connection& connection);

}  // namespace backplane::store
