#include "store/secrets.h"

namespace backplane::store {

void Secrets::Put(const SecretInfo& info, std::string_view sealed) {
  db_.Execute(
      "INSERT INTO secret (org, name, sealed, set_at, set_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (org, name) DO UPDATE "
      "SET sealed = excluded.sealed, set_at = excluded.set_at, set_by = excluded.set_by",
      org_, info.name, Blob{sealed}, ToMillis(info.set_at), info.set_by);
}

bool Secrets::Remove(const std::string& name) {
  return db_.Execute("DELETE FROM secret WHERE org = ? AND name = ?", org_, name) > 0;
}

std::optional<std::string> Secrets::Find(const std::string& name) {
  Rows rows = db_.Query("SELECT sealed FROM secret WHERE org = ? AND name = ?", org_, name);
  if (!rows.Next()) return std::nullopt;
  return std::string(rows.Bytes(0));
}

std::vector<SecretInfo> Secrets::List(const std::string& after, int limit) {
  std::vector<SecretInfo> secrets;
  Rows rows = db_.Query("SELECT name, set_at, set_by FROM secret WHERE org = ? AND name > ? ORDER BY name LIMIT ?",
                        org_, after, limit);
  while (rows.Next()) secrets.push_back({rows.Text(0), FromMillis(rows.Int(1)), rows.Text(2)});
  return secrets;
}

std::vector<SecretKey> AllSecrets(Connection& connection) {
  std::vector<SecretKey> keys;
  Rows rows = connection.Query("SELECT org, name FROM secret ORDER BY org, name");
  while (rows.Next()) keys.push_back({rows.Int(0), rows.Text(1)});
  return keys;
}

void Reseal(Connection& connection, const SecretKey& key, std::string_view sealed) {
  connection.Execute("UPDATE secret SET sealed = ? WHERE org = ? AND name = ?", Blob{sealed}, key.org, key.name);
}

std::optional<SealedDataKey> FindDataKey(Connection& connection) {
  Rows rows = connection.Query("SELECT origin, sealed FROM data_key WHERE id = 1");
  if (!rows.Next()) return std::nullopt;
  return SealedDataKey{rows.Text(0), std::string(rows.Bytes(1))};
}

void PutDataKey(Connection& connection, const SealedDataKey& key) {
  connection.Execute(
      "INSERT INTO data_key (id, origin, sealed) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET "
      "origin = excluded.origin, sealed = excluded.sealed",
      key.origin, Blob{key.sealed});
}

bool RemoveUnusedDataKey(Connection& connection) {
  return connection.Execute("DELETE FROM data_key WHERE NOT EXISTS (SELECT 1 FROM secret)") > 0;
}

}  // namespace backplane::store
