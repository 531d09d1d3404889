#include "store/vault.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/crypt.h"
#include "base/json.h"
#include "base/text.h"
#include "store/audit.h"

namespace backplane::store {
namespace {

// What a sealed value is bound to. Names have no line ends, so that no two are alike.
std::string Binding(OrgId org, const std::string& name) { return fmt::format("backplane secret\n{}\n{}", org, name); }
std::string Binding(const std::string& origin) { return fmt::format("backplane data key\n{}", origin); }

Status CheckName(const std::string& name) {
  if (IsSecretName(name)) return {};
  return Fail(Errc::kInvalid,
              fmt::format("name: \"{}\" is not 1 to 200 letters, digits and _ . : / -", Shorten(name, 40)), "name");
}

Status CheckValue(const Secret& value) {
  if (value.empty()) return Fail(Errc::kInvalid, "value: is empty", "value");
  if (value.size() > kLargestSecret)
    return Fail(Errc::kInvalid, fmt::format("value: is larger than {} bytes", kLargestSecret), "value");
  if (!IsUtf8(value.Reveal())) return Fail(Errc::kInvalid, "value: is not text in UTF-8", "value");
  return {};
}

Result<Secret> OpenSecret(const Secret& key, OrgId org, const std::string& name, std::string_view sealed) {
  auto value = Unseal(key, sealed, Binding(org, name));
  if (value) return value;
  return Fail(Errc::kInternal,
              fmt::format("the secret {} of organisation {} cannot be decrypted: its row in the store was changed, or "
                          "copied from another; set it anew, or remove it",
                          name, org));
}

void Log(Connection& connection, const Caller& caller, TimePoint at, const char* action, const std::string& subject) {
  Audit(connection, caller.org)
      .Append({.at = at, .actor = caller.actor, .action = action, .subject = subject, .detail = caller.detail});
}

}  // namespace

bool IsSecretName(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:/-").find(c) != std::string_view::npos;
  });
}

Vault::Vault(Database& database, const Clock& clock, VaultOptions options)
    : database_(database),
      clock_(clock),
      options_(std::move(options)),
      source_(options_.source),
      asker_(options_.patience) {}

Status Vault::Unlock() {
  const std::unique_lock lock(mutex_);
  return UnlockLocked();
}

Status Vault::UnlockLocked() {
  if (!key_.empty()) return {};
  std::optional<SealedDataKey> row;
  BACKPLANE_TRY(database_.Read([&](Connection& connection) -> Status {
    row = FindDataKey(connection);
    if (row || AllSecrets(connection).empty()) return {};
    return Fail(Errc::kInternal, "the store holds secrets, but not their data key: it is damaged; restore a back-up");
  }));
  if (!row) return {};
  Result<Secret> key = OpenDataKey(*row);
  if (!key) {
    failure_ = key.error();
    retry_at_ = clock_.Monotonic() + options_.retry;
    return Fail(failure_);
  }
  key_ = *std::move(key);
  return {};
}

Result<Secret> Vault::OpenDataKey(const SealedDataKey& row) {
  BACKPLANE_ASSIGN(
      const WrappingKey wrapping,
      asker_.Ask(source_.file.string(), [source = source_, origin = row.origin] { return FindKey(source, origin); }));
  auto key = Unseal(wrapping.key, row.sealed, Binding(row.origin));
  if (key) return key;
  if (source_.passphrase)
    return Fail(Errc::kUnavailable, fmt::format("{}: this is not the passphrase that the secrets are encrypted with",
                                                source_.file.string()));
  return Fail(Errc::kInternal, "the data key in the store was changed: the store is damaged; restore a back-up");
}

Vault::NewKeys Vault::MakeKeys(const WrappingKey& wrapping) {
  Secret data = NewKey();
  std::string sealed = Seal(wrapping.key, data.Reveal(), Binding(wrapping.origin));
  return {std::move(data), {wrapping.origin, std::move(sealed)}};
}

Result<SecretInfo> Vault::Set(const Caller& caller, const std::string& name, const Secret& value) {
  BACKPLANE_TRY(CheckName(name));
  BACKPLANE_TRY(CheckValue(value));
  const std::unique_lock lock(mutex_);
  BACKPLANE_TRY(UnlockLocked());
  std::optional<NewKeys> made;
  if (key_.empty()) {  // the first secret
    BACKPLANE_ASSIGN(const WrappingKey wrapping,
                     asker_.Ask(source_.file.string(), [source = source_] { return TakeKey(source); }));
    made = MakeKeys(wrapping);
    CrashPoint("vault.set.key_file");
  }
  const SecretInfo info{name, clock_.Now(), caller.actor};
  const std::string sealed = Seal(made ? made->data : key_, value.Reveal(), Binding(caller.org, name));
  BACKPLANE_TRY(database_.Write([&](Connection& connection) -> Status {
    if (made) PutDataKey(connection, made->row);
    Secrets(connection, caller.org).Put(info, sealed);
    Log(connection, caller, info.set_at, "secret.set", name);
    CrashPoint("vault.set.inside");
    return {};
  }));
  CrashPoint("vault.set.after");
  if (made) key_ = std::move(made->data);
  return info;
}

Status Vault::Remove(const Caller& caller, const std::string& name) {
  const std::unique_lock lock(mutex_);
  bool last = false;
  BACKPLANE_TRY(database_.Write([&](Connection& connection) -> Status {
    if (!Secrets(connection, caller.org).Remove(name))
      return Fail(Errc::kNotFound, fmt::format("no secret {}", Shorten(name, 200)));
    last = RemoveUnusedDataKey(connection);
    Log(connection, caller, clock_.Now(), "secret.remove", name);
    return {};
  }));
  if (last) key_ = {};
  return {};
}

Result<std::vector<Secret>> Vault::Read(const Caller& caller, const std::vector<std::string>& names) {
  if (names.empty()) return std::vector<Secret>();
  {
    const std::shared_lock lock(mutex_);
    if (!key_.empty()) return ReadUnlocked(caller, names);
  }
  const std::unique_lock lock(mutex_);
  if (key_.empty() && clock_.Monotonic() < retry_at_) return Fail(failure_);
  BACKPLANE_TRY(UnlockLocked());
  return ReadUnlocked(caller, names);
}

Result<std::vector<Secret>> Vault::ReadUnlocked(const Caller& caller, const std::vector<std::string>& names) {
  std::vector<std::string> sealed;
  BACKPLANE_TRY(database_.Write([&](Connection& connection) -> Status {
    sealed.clear();
    for (const std::string& name : names) {
      auto found = Secrets(connection, caller.org).Find(name);
      if (!found)
        return Fail(Errc::kNotFound, fmt::format("no secret {}: set it with `backplane secrets set {}`",
                                                 Shorten(name, 200), Shorten(name, 200)));
      sealed.push_back(*std::move(found));
      Log(connection, caller, clock_.Now(), "secret.read", name);
    }
    return {};
  }));
  std::vector<Secret> values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    BACKPLANE_ASSIGN(Secret value, OpenSecret(key_, caller.org, names[i], sealed[i]));
    values.push_back(std::move(value));
  }
  return values;
}

Result<WrappingKey> Vault::NextWrappingKey(const std::optional<KeySource>& source) {
  const bool same = !source || (source->passphrase == source_.passphrase && source->file == source_.file);
  if (!same) return asker_.Ask(source->file.string(), [to = *source] { return TakeKey(to); });
  std::optional<SealedDataKey> row;
  BACKPLANE_TRY(database_.Read([&](Connection& connection) -> Status {
    row = FindDataKey(connection);
    return {};
  }));
  if (!row) return Fail(Errc::kNotFound, "there are no secrets yet: nothing to encrypt anew");
  return asker_.Ask(source_.file.string(), [from = source_, origin = row->origin]() -> Result<WrappingKey> {
    BACKPLANE_ASSIGN(const WrappingKey present, FindKey(from, origin));
    return RenewKey(from, present.key);
  });
}

Status Vault::ResealAll(Connection& connection, const Secret& from, const Secret& to, std::int64_t& count) {
  count = 0;
  for (const SecretKey& key : AllSecrets(connection)) {
    const auto sealed = Secrets(connection, key.org).Find(key.name);
    BACKPLANE_ASSIGN(const Secret value, OpenSecret(from, key.org, key.name, sealed.value_or("")));
    Reseal(connection, key, Seal(to, value.Reveal(), Binding(key.org, key.name)));
    ++count;
  }
  return {};
}

Result<std::int64_t> Vault::Rotate(const Caller& caller, const std::optional<KeySource>& source) {
  const std::unique_lock lock(mutex_);
  BACKPLANE_TRY(UnlockLocked());
  if (key_.empty()) return Fail(Errc::kNotFound, "there are no secrets yet: nothing to encrypt anew");
  // The new key is safe in its file before the rows need it; an old one stays there beside it.
  BACKPLANE_ASSIGN(const WrappingKey wrapping, NextWrappingKey(source));
  CrashPoint("vault.rotate.key_file");
  NewKeys made = MakeKeys(wrapping);
  std::int64_t count = 0;
  const Status written = database_.Write([&](Connection& connection) -> Status {
    BACKPLANE_TRY(ResealAll(connection, key_, made.data, count));
    PutDataKey(connection, made.row);
    Log(connection, caller, clock_.Now(), "secret.rotate", "");
    CrashPoint("vault.rotate.inside");
    return {};
  });
  CrashPoint("vault.rotate.after");
  if (!written) return Fail(written.error());
  key_ = std::move(made.data);
  if (source) source_ = *source;
  return count;
}

Result<std::int64_t> Vault::Verify() {
  const std::unique_lock lock(mutex_);
  BACKPLANE_TRY(UnlockLocked());
  std::int64_t count = 0;
  BACKPLANE_TRY(database_.Read([&](Connection& connection) -> Status {
    for (const SecretKey& key : AllSecrets(connection)) {
      const auto sealed = Secrets(connection, key.org).Find(key.name);
      BACKPLANE_TRY(OpenSecret(key_, key.org, key.name, sealed.value_or("")));
      ++count;
    }
    return {};
  }));
  return count;
}

}  // namespace backplane::store
