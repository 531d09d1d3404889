// Encryption and password hashing, with one choice of algorithm and parameters for each.
//
// Thread-safe. What the system refuses (no random bytes, no memory in the cipher) throws: nothing
// could go on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace backplane {

/// Of every key here: AES-256.
inline constexpr std::size_t kKeyBytes = 32;

/// A new key from the kernel's random numbers.
Secret NewKey();

/// AES-256-GCM: a random 96-bit nonce, the ciphertext, a 128-bit tag. `associated` is not part of
/// the result but must be the same when it is opened. A key is good for 2^32 texts.
std::string Seal(const Secret& key, std::string_view plain, std::string_view associated);

/// The text that was sealed. kDenied: another key or other associated data, or something in `sealed`
/// was changed; which of them cannot be told.
Result<Secret> Unseal(const Secret& key, std::string_view sealed, std::string_view associated);

/// What a guess at a password costs.
struct Argon2Cost {
  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::uint32_t lanes = 0;
  bool operator==(const Argon2Cost&) const = default;
};
/// For signing in, which happens often and to many at once: OWASP's first choice for argon2id.
inline constexpr Argon2Cost kPasswordCost{19 * 1024, 2, 1};
/// For a passphrase that protects every secret: the second choice of RFC 9106, for less memory.
inline constexpr Argon2Cost kPassphraseCost{64 * 1024, 3, 4};
inline constexpr std::size_t kSaltBytes = 16;

/// A key from a passphrase: argon2id, version 1.3. kInvalid: a salt below 8 bytes, or a cost beyond
/// 1 GiB, 100 passes or 16 lanes; kUnavailable: there is not enough memory.
Result<Secret> DeriveKey(const Secret& passphrase, std::string_view salt, const Argon2Cost& cost);

/// argon2id with a random salt as a PHC string, "$argon2id$v=19$m=...,t=...,p=...$salt$hash", to be
/// stored. kUnavailable: there is not enough memory.
Result<std::string> HashPassword(const Secret& password, const Argon2Cost& cost = kPasswordCost);

/// Whether the password is the one of `hash`, at the cost that stands there. False, too, if `hash` is
/// no argon2id PHC string.
bool VerifyPassword(const std::string& hash, const Secret& password);

}  // namespace backplane
