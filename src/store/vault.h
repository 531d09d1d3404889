// Secrets, encrypted at rest: the only reader and writer of their values.
//
// A random data key encrypts every secret (AES-256-GCM, bound to its organisation and name); the data
// key is stored encrypted by a key that the store does not hold (key_source.h). Neither is ever
// written anywhere else. A key file that is lost or hangs, or a wrong passphrase, makes every call that
// needs the key fail with an error that says so, and changes nothing. A file that comes back needs no
// restart.
#pragma once

#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/time.h"
#include "model/ids.h"
#include "store/database.h"
#include "store/key_source.h"
#include "store/secrets.h"

namespace backplane::store {

inline constexpr std::size_t kLargestSecret = 64 << 10;
/// Whether a secret may be called so: 1 to 200 letters, digits and "_.:/-".
bool IsSecretName(std::string_view name);

struct VaultOptions {
  KeySource source;
  Millis patience{5'000};  ///< how long a key file may take to answer
  Millis retry{5'000};     ///< how soon after a failure Read() asks again
};

/// Who asks, for the audit log.
struct Caller {
  OrgId org = kDefaultOrg;
  std::string actor;          ///< "user:alice", "system"
  std::string detail = "{}";  ///< JSON: what for
};

/// Thread-safe; not to be called from the store's writer thread. Every change and every read is in the
/// audit log of the caller's organisation, in the same transaction. One Vault per store.
class Vault {
 public:
  Vault(Database& database, const Clock& clock, VaultOptions options);

  // Each of these but Remove() may answer kUnavailable or kTimeout: the key cannot be had.

  /// Whether the secrets can be read now; true as long as there are none.
  Status Unlock();

  /// Adds or replaces. The first one makes the keys. kInvalid: name or value is not allowed.
  Result<SecretInfo> Set(const Caller& caller, const std::string& name, const Secret& value);

  /// Needs no key; with the last secret of all the keys' use ends, and the next Set() begins afresh.
  /// kNotFound.
  Status Remove(const Caller& caller, const std::string& name);

  /// The values in the order of `names`. kNotFound names the first that is not set; kInternal: a row
  /// was changed, or copied from another name or organisation.
  Result<std::vector<Secret>> Read(const Caller& caller, const std::vector<std::string>& names);

  /// Encrypts everything anew: a new data key, encrypted by a new key from `source` or, without one,
  /// from where it comes now. All or nothing; returns the number of secrets. From then on this Vault
  /// uses `source`. kNotFound: there are no secrets yet. Others wait meanwhile.
  Result<std::int64_t> Rotate(const Caller& caller, const std::optional<KeySource>& source);

  /// Decrypts everything and returns the number of secrets. kInternal names the first that was changed.
  Result<std::int64_t> Verify();

 private:
  struct NewKeys {
    Secret data;
    SealedDataKey row;
  };
  Status UnlockLocked();
  Result<Secret> OpenDataKey(const SealedDataKey& row);
  static NewKeys MakeKeys(const WrappingKey& wrapping);
  Result<WrappingKey> NextWrappingKey(const std::optional<KeySource>& source);
  Result<std::vector<Secret>> ReadUnlocked(const Caller& caller, const std::vector<std::string>& names);
  static Status ResealAll(Connection& connection, const Secret& from, const Secret& to, std::int64_t& count);

  Database& database_;
  const Clock& clock_;
  const VaultOptions options_;
  std::shared_mutex mutex_;  // guards the rest; shared: key_ is not changed
  KeySource source_;
  PatientAsker asker_;
  Secret key_;  // the data key; empty: not unlocked, or there are no secrets
  Error failure_;
  Millis retry_at_{0};
};

}  // namespace backplane::store
