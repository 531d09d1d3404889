#include "base/crypt.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include <argon2.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/rng.h"

namespace backplane {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kLongestHash = 512;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void Require(int done) {
  if (done != 1) throw std::runtime_error("the cipher refused to work");
}

// A context that knows key, nonce and associated data.
Context Begin(const Secret& key, std::string_view nonce, std::string_view associated, int encrypt) {
  if (key.size() != kKeyBytes) throw std::logic_error("a key of the wrong size");
  Context context(EVP_CIPHER_CTX_new());
  if (context == nullptr) throw std::bad_alloc();
  Require(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key.Reveal()), Bytes(nonce), encrypt));
  int length = 0;
  Require(EVP_CipherUpdate(context.get(), nullptr, &length, Bytes(associated), static_cast<int>(associated.size())));
  return context;
}

Status CheckCost(const Argon2Cost& cost) {
  if (cost.memory_kib <= 1 << 20 && cost.passes <= 100 && cost.lanes <= 16) return {};
  return Fail(Errc::kInvalid, fmt::format("argon2id: a cost of {} KiB, {} passes and {} lanes is not taken",
                                          cost.memory_kib, cost.passes, cost.lanes));
}

Status Told(int error) {
  if (error == ARGON2_OK) return {};
  const bool memory = error == ARGON2_MEMORY_ALLOCATION_ERROR || error == ARGON2_THREAD_FAIL;
  return Fail(memory ? Errc::kUnavailable : Errc::kInvalid, fmt::format("argon2id: {}", argon2_error_message(error)));
}

}  // namespace

Secret NewKey() {
  std::string bytes = RandomBytes(kKeyBytes);
  return Secret::Take(bytes);
}

std::string Seal(const Secret& key, std::string_view plain, std::string_view associated) {
  std::string sealed = RandomBytes(kNonceBytes);
  const Context context = Begin(key, sealed, associated, 1);
  sealed.resize(kNonceBytes + plain.size() + kTagBytes);
  auto* out = reinterpret_cast<unsigned char*>(sealed.data()) + kNonceBytes;
  int length = 0;
  Require(EVP_CipherUpdate(context.get(), out, &length, Bytes(plain), static_cast<int>(plain.size())));
  Require(EVP_CipherFinal_ex(context.get(), out + length, &length));
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + plain.size()));
  return sealed;
}

Result<Secret> Unseal(const Secret& key, std::string_view sealed, std::string_view associated) {
  const auto refuse = [] { return Fail(Errc::kDenied, "encrypted with another key, or changed since"); };
  if (sealed.size() < kNonceBytes + kTagBytes) return refuse();
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Context context = Begin(key, nonce, associated, 0);
  std::string plain(text.size(), '\0');
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  int length = 0;
  Require(EVP_CipherUpdate(context.get(), out, &length, Bytes(text), static_cast<int>(text.size())));
  Require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()));
  const bool whole = EVP_CipherFinal_ex(context.get(), out + length, &length) == 1;
  Secret secret = Secret::Take(plain);
  if (!whole) return refuse();
  return secret;
}

Result<Secret> DeriveKey(const Secret& passphrase, std::string_view salt, const Argon2Cost& cost) {
  BACKPLANE_TRY(CheckCost(cost));
  std::string key(kKeyBytes, '\0');
  const int error = argon2id_hash_raw(cost.passes, cost.memory_kib, cost.lanes, passphrase.Reveal().data(),
                                      passphrase.size(), salt.data(), salt.size(), key.data(), key.size());
  Secret secret = Secret::Take(key);
  BACKPLANE_TRY(Told(error));
  return secret;
}

Result<std::string> HashPassword(const Secret& password, const Argon2Cost& cost) {
  BACKPLANE_TRY(CheckCost(cost));
  const std::string salt = RandomBytes(kSaltBytes);
  std::string hash(kLongestHash, '\0');
  BACKPLANE_TRY(
      Told(argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, password.Reveal().data(), password.size(),
                                 salt.data(), salt.size(), kHashBytes, hash.data(), hash.size())));
  hash.resize(hash.find('\0'));
  return hash;
}

bool VerifyPassword(const std::string& hash, const Secret& password) {
  return hash.size() <= kLongestHash &&
         argon2id_verify(hash.c_str(), password.Reveal().data(), password.size()) == ARGON2_OK;
}

}  // namespace backplane
