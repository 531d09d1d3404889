#include "store/identity.h"

#include <cstring>

#include "base/rng.h"

namespace backplane::store {

std::int64_t StoreIdentity(Connection& connection) {
  constexpr const char* kName = "identity";
  std::int64_t made = 0;
  while (made == 0) std::memcpy(&made, RandomBytes(sizeof(made)).data(), sizeof(made));
  connection.Execute("INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", kName, made);
  Rows rows = connection.Query("SELECT value FROM counter WHERE name = ?", kName);
  return rows.Next() ? rows.Int(0) : 0;
}

}  // namespace backplane::store
