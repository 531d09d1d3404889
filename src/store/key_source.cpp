#include "store/key_source.h"

#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/text.h"

namespace backplane::store {
namespace {

constexpr std::size_t kLargestFile = 4096;
constexpr std::size_t kShortestPassphrase = 8;

// Tells keys apart and tells nothing about them: they are random.
std::string Fingerprint(const Secret& key) {
  std::string text = fmt::format("backplane key {}", key.Reveal());
  std::string fingerprint = Sha256Hex(text).substr(0, 16);
  Wipe(text);
  return fingerprint;
}

std::string FileOrigin(const std::filesystem::path& file, const Secret& key) {
  return DumpJson({{"kind", "file"}, {"fingerprint", Fingerprint(key)}, {"file", file.string()}});
}

// Members of what the store says; it may have been changed.
std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::uint32_t NumberOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint32_t>() : 0;
}

Result<Secret> ReadText(const KeySource& source) {
  auto text = ReadPrivateFile(source.file, kLargestFile);
  if (text) return Secret::Take(*text);
  if (text.error().code != Errc::kNotFound) return Fail(Errc::kUnavailable, text.error().message);
  return Fail(Errc::kUnavailable,
              fmt::format("{}: there is no such file; {}", source.file.string(),
                          source.passphrase
                              ? "write the passphrase of the secrets into it, or name another with "
                                "secrets.passphrase_file"
                              : "without the key that was in it nobody can read the secrets: bring it back, or name "
                                "where it is with secrets.key_file; if it is lost, remove every secret and set it "
                                "anew"));
}

// At least one.
Result<std::vector<Secret>> ReadKeys(const KeySource& source) {
  BACKPLANE_ASSIGN(const Secret text, ReadText(source));
  std::vector<Secret> keys;
  for (const std::string_view line : Split(Trim(text.Reveal()), '\n')) {
    auto bytes = FromHex(Trim(line));
    if (!bytes || bytes->size() != kKeyBytes)
      return Fail(Errc::kUnavailable, fmt::format("{}: holds no key: a line of {} hexadecimal digits is expected",
                                                  source.file.string(), 2 * kKeyBytes));
    keys.push_back(Secret::Take(*bytes));
  }
  return keys;
}

Status WriteKeys(const std::filesystem::path& file, const std::vector<const Secret*>& keys, bool replace) {
  std::string text;
  text.reserve(kLargestFile);  // growing would leave copies
  for (const Secret* key : keys) {
    std::string line = ToHex(key->Reveal());
    (text += line) += '\n';
    Wipe(line);
  }
  const Status written = WriteFileDurable(file, text, 0600, replace);
  Wipe(text);
  return written;
}

Result<Secret> Derive(const KeySource& source, const std::string& salt, const Argon2Cost& cost) {
  BACKPLANE_ASSIGN(const Secret text, ReadText(source));
  std::string_view passphrase = text.Reveal();
  if (passphrase.ends_with('\n')) passphrase.remove_suffix(1);
  if (passphrase.ends_with('\r')) passphrase.remove_suffix(1);
  if (passphrase.size() < kShortestPassphrase)
    return Fail(Errc::kUnavailable, fmt::format("{}: the passphrase is shorter than {} characters",
                                                source.file.string(), kShortestPassphrase));
  auto key = DeriveKey(Secret(passphrase), salt, cost);
  if (!key) return Fail(Errc::kUnavailable, fmt::format("{}: {}", source.file.string(), key.error().message));
  return key;
}

Result<WrappingKey> NewFromPassphrase(const KeySource& source) {
  const std::string salt = RandomBytes(kSaltBytes);
  constexpr Argon2Cost kCost = kPassphraseCost;
  BACKPLANE_ASSIGN(Secret key, Derive(source, salt, kCost));
  return WrappingKey{std::move(key), DumpJson({{"kind", "passphrase"},
                                               {"salt", ToHex(salt)},
                                               {"memory_kib", kCost.memory_kib},
                                               {"passes", kCost.passes},
                                               {"lanes", kCost.lanes}})};
}

Result<WrappingKey> FindInFile(const KeySource& source, const Json& told, const std::string& origin) {
  BACKPLANE_ASSIGN(std::vector<Secret> keys, ReadKeys(source));
  const std::string wanted = TextOf(told, "fingerprint");
  for (Secret& key : keys)
    if (Fingerprint(key) == wanted) return WrappingKey{std::move(key), origin};
  return Fail(Errc::kUnavailable,
              fmt::format("{}: holds the key {}, but the secrets are encrypted with the key {}, which was in {}: bring "
                          "that file back, or name it with secrets.key_file",
                          source.file.string(), Fingerprint(keys.front()), wanted, TextOf(told, "file")));
}

}  // namespace

Result<WrappingKey> TakeKey(const KeySource& source) {
  if (source.passphrase) return NewFromPassphrase(source);
  std::error_code error;
  if (std::filesystem::symlink_status(source.file, error).type() == std::filesystem::file_type::not_found) {
    const Secret key = NewKey();
    BACKPLANE_TRY(WriteKeys(source.file, {&key}, false));
  }
  BACKPLANE_ASSIGN(std::vector<Secret> keys, ReadKeys(source));
  std::string origin = FileOrigin(source.file, keys.front());
  return WrappingKey{std::move(keys.front()), std::move(origin)};
}

Result<WrappingKey> FindKey(const KeySource& source, const std::string& origin) {
  const Result<Json> told = ParseJson(origin);
  const std::string kind = told && told->is_object() ? TextOf(*told, "kind") : "";
  if (kind == "file") {
    if (!source.passphrase) return FindInFile(source, *told, origin);
    return Fail(Errc::kUnavailable,
                fmt::format("the secrets are encrypted with the key file {}, not with a passphrase: name it with "
                            "secrets.key_file, instead of secrets.passphrase_file",
                            TextOf(*told, "file")));
  }
  const auto salt = kind == "passphrase" ? FromHex(TextOf(*told, "salt")) : std::nullopt;
  if (!salt) return Fail(Errc::kUnavailable, "the store does not say how the secrets are encrypted: it is damaged");
  if (!source.passphrase)
    return Fail(Errc::kUnavailable,
                "the secrets are encrypted with a passphrase, not with a key file: name a file that holds it with "
                "secrets.passphrase_file");
  const Argon2Cost cost{NumberOf(*told, "memory_kib"), NumberOf(*told, "passes"), NumberOf(*told, "lanes")};
  BACKPLANE_ASSIGN(Secret key, Derive(source, *salt, cost));
  return WrappingKey{std::move(key), origin};
}

Result<WrappingKey> RenewKey(const KeySource& source, const Secret& present) {
  if (source.passphrase) return NewFromPassphrase(source);
  Secret key = NewKey();
  BACKPLANE_TRY(WriteKeys(source.file, {&key, &present}, true));
  std::string origin = FileOrigin(source.file, key);
  return WrappingKey{std::move(key), std::move(origin)};
}

Result<WrappingKey> PatientAsker::Ask(const std::string& what, std::function<Result<WrappingKey>()> ask) {
  const auto hangs = [&] {
    return Fail(Errc::kTimeout, fmt::format("{}: does not answer; is its file system there?", what));
  };
  if (pending_.valid() && pending_.wait_for(Millis(0)) != std::future_status::ready) return hangs();
  std::packaged_task<Result<WrappingKey>()> task(std::move(ask));
  pending_ = task.get_future();
  std::thread(std::move(task)).detach();  // it may never come back
  if (pending_.wait_for(patience_) != std::future_status::ready) return hangs();
  return pending_.get();
}

}  // namespace backplane::store
