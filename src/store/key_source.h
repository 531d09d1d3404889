// Where the key comes from that encrypts the data key: a key file or a passphrase.
//
// A key file holds 64 hexadecimal digits a line: the first line is the key of today; a second one is
// the key before the last rotation, which stays because a power loss may undo the store's last
// commits but not the file. File and passphrase must be readable by their owner only.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <string>

#include "base/crypt.h"
#include "base/result.h"
#include "base/time.h"

namespace backplane::store {

struct KeySource {
  std::filesystem::path file;
  bool passphrase = false;  ///< the file holds a passphrase (its last line end does not count), not a key
};

/// A key, and what is stored about where it came from: a JSON text without anything secret.
struct WrappingKey {
  Secret key;
  std::string origin;
};

// All three answer kUnavailable, with a message for the person who can put it right; nothing was changed
// then.

/// A key to encrypt with from now on: the first one of the key file, which is made if there is none;
/// or one from the passphrase and a new salt.
Result<WrappingKey> TakeKey(const KeySource& source);

/// The key again that `origin` tells of. Whether a passphrase is the right one shows only when its key
/// is used.
Result<WrappingKey> FindKey(const KeySource& source, const std::string& origin);

/// A new first key in a key file; `present` becomes the second. For a passphrase the same as TakeKey().
Result<WrappingKey> RenewKey(const KeySource& source, const Secret& present);

/// Asks for a key with limited patience, since a file system that hangs would hang the program. Not
/// thread-safe.
class PatientAsker {
 public:
  explicit PatientAsker(Millis patience) : patience_(patience) {}

  /// What `ask` returns, called on a thread of its own. kTimeout if that takes too long, and at once as
  /// long as the thread of an earlier call has not come back; `what` names what hangs.
  Result<WrappingKey> Ask(const std::string& what, std::function<Result<WrappingKey>()> ask);

 private:
  const Millis patience_;
  std::future<Result<WrappingKey>> pending_;  // of a call that was given up
};

}  // namespace backplane::store
