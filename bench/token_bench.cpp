// What it costs to say who calls.
//
// 1,000 API tokens of 100 users, and 1,000 sessions, are looked at again and again, as requests carry
// them; and each once more just after a change of people, when all have to be read from the store.
#include <cstdio>
#include <random>

#include "api/auth.h"
#include "base/rng.h"
#include "base/text.h"
#include "bench.h"
#include "store/sqlite/sqlite_database.h"

namespace backplane::bench {
namespace {

constexpr int kUsers = 100;
constexpr int kTokensOfEach = 10;
constexpr int kLooks = 500'000;
constexpr double kTargetMicros = 20;

http::Request Calling(const char* header, const std::string& value) {
  http::Request request{.method = "GET", .path = "/api/v1/status"};
  request.headers["Host"] = "localhost";
  request.headers[header] = value;
  return request;
}

struct Callers {
  std::vector<http::Request> tokens;
  std::vector<http::Request> sessions;
};

Status Fill(store::Database& database, TimePoint now, Callers& callers) {
  return database.Write([&](store::Connection& connection) -> Status {
    store::People people(connection, kDefaultOrg);
    store::Tokens tokens(connection, kDefaultOrg);
    for (int i = 0; i < kUsers; ++i) {
      BACKPLANE_ASSIGN(const UserId user, people.Add({.name = "user" + std::to_string(i), .created = now}));
      for (int j = 0; j < kTokensOfEach; ++j) {
        const std::string secret = SecretHex(32);
        const store::ApiToken token{
            .user = user, .name = std::to_string(j), .scopes = {Permission::kRead}, .created = now};
        BACKPLANE_ASSIGN(const TokenId id, tokens.Add(token, Sha256Hex(secret)));
        callers.tokens.push_back(Calling("Authorization", "Bearer bp_" + std::to_string(id) + "_" + secret));
        const std::string cookie = SecretHex(32);
        tokens.AddSession({.user = user, .created = now, .expires = now + std::chrono::hours(1)}, Sha256Hex(cookie),
                          {.idle = std::chrono::hours(1), .most_of_a_user = 100});
        callers.sessions.push_back(Calling("Cookie", "backplane_session=" + cookie));
      }
    }
    return {};
  });
}

/// Microseconds of processor time for each look; negative: somebody was not known.
double Look(api::Auth& auth, const std::vector<http::Request>& callers, int looks) {
  std::mt19937 random(1);
  const double before = CpuSeconds();
  for (int i = 0; i < looks; ++i)
    if (!auth.Identify(
            callers[looks > kUsers * kTokensOfEach ? random() % callers.size() : static_cast<std::size_t>(i)]))
      return -1;
  return (CpuSeconds() - before) * 1e6 / looks;
}

int Run() {
  const TemporaryFolder folder;
  const SystemClock clock;
  const auto database = store::OpenSqlite({.file = folder.path() / "store.db"});
  Callers callers;
  if (!database || !Fill(**database, clock.Now(), callers)) return std::puts("the store cannot be filled"), 1;
  api::Auth auth({.database = **database,
                  .clock = clock,
                  .local_token = SecretHex(32),
                  .setup_file = folder.path() / "setup-token"});
  bool reached = true;
  for (const auto& [name, requests] : {std::pair("token", &callers.tokens), std::pair("session", &callers.sessions)}) {
    const double first = Look(auth, *requests, kUsers * kTokensOfEach);
    const double known = Look(auth, *requests, kLooks);
    auth.Changed();
    const double again = Look(auth, *requests, kUsers * kTokensOfEach);
    std::printf("%-8s known %5.2f us   read from the store %6.1f us (first), %6.1f us (after a change)\n", name, known,
                first, again);
    reached = reached && known >= 0 && known < kTargetMicros;
  }
  std::printf("target, a check under %.0f us: %s\n", kTargetMicros, reached ? "reached" : "missed");
  return reached ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main() { return backplane::bench::Run(); }
