// Loading 200 plugins: finding, reading, checking and declaring them, as the daemon does at its start; beside
// Python's json with what the original looks at in a manifest (manifests_peer.py) on the same files.
//
//   manifests_bench [REPETITIONS]
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

#include "base/files.h"
#include "bench.h"
#include "config/site.h"
#include "dialects/netalertx/netalertx.h"
#include "plugin/catalog.h"

namespace backplane::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kPlugins = 200;
constexpr std::size_t kSettings = 15, kColumns = 15;
constexpr double kTarget = 0.1;  // seconds

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "manifests_bench: {}\n", why);
  std::exit(1);
}

// The template with more settings and columns, and each text in three languages.
Json Realistic() {
  const auto text = ReadFile(BACKPLANE_SOURCE_DIR "/examples/netalertx/front/plugins/__template/config.json", 1 << 20);
  if (!text) Die(text.error().message);
  Json document = *ParseJson(*text);
  for (int i = 0; document["settings"].size() < kSettings; ++i) {
    Json more = document["settings"][static_cast<std::size_t>(3 + i % 3)];  // a number, a list, a list of choices
    more["function"] = fmt::format("extra{}", i);
    document["settings"].push_back(more);
  }
  while (document["database_column_definitions"].size() < kColumns)
    document["database_column_definitions"].push_back(document["database_column_definitions"][6]);
  const auto translate = [](Json& object, const char* key) {
    const std::string english = object[key][0]["string"];
    for (const char* language : {"de_de", "es_es"})
      object[key].push_back({{"language_code", language}, {"string", fmt::format("{}: {}", language, english)}});
  };
  for (Json& setting : document["settings"]) {
    translate(setting, "name");
    translate(setting, "description");
  }
  for (Json& column : document["database_column_definitions"]) translate(column, "name");
  return document;
}

// Returns the bytes of all.
std::size_t Write(const fs::path& folder) {
  Json document = Realistic();
  std::size_t bytes = 0;
  for (int i = 0; i < kPlugins; ++i) {
    document["code_name"] = fmt::format("plugin{}", i);
    document["unique_prefix"] = fmt::format("PLUGIN{}", i);
    const fs::path plugin = folder / fmt::format("plugin{}", i);
    fs::create_directories(plugin);
    const std::string text = document.dump(1);
    bytes += text.size();
    std::ofstream(plugin / "config.json") << text;
  }
  return bytes;
}

struct Times {
  std::vector<double> cpu, wall;
};

void Load(const fs::path& folder, const DialectList& dialects, Times& times) {
  config::Site site;
  site.folders = {{.path = folder}};
  const double cpu = CpuSeconds(), wall = WallSeconds();
  const Catalog catalog = Catalog::Load(site, dialects);
  times.cpu.push_back(CpuSeconds() - cpu);
  times.wall.push_back(WallSeconds() - wall);
  if (!catalog.findings().empty()) Die(Describe(catalog.findings()[0]));
  std::size_t settings = 0;
  for (const Plugin& plugin : catalog.plugins()) settings += plugin.manifest.settings.size();
  if (settings != kPlugins * kSettings) Die(fmt::format("{} settings were read", settings));
}

double RunPeer(const fs::path& folder) {
  const std::string command =
      fmt::format("python3 -I '{}/bench/manifests_peer.py' '{}'", BACKPLANE_SOURCE_DIR, folder.string());
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Die("cannot start python3");
  double seconds = 0;
  if (std::fscanf(pipe, "%lf", &seconds) != 1 || pclose(pipe) != 0) Die("the peer failed");
  return seconds;
}

int Main(int repetitions) {
  const TemporaryFolder folder;
  const std::size_t bytes = Write(folder.path());
  DialectList dialects;
  dialects.push_back(std::make_unique<netalertx::NetAlertX>());
  Times ours;
  std::vector<double> peer;
  for (int i = 0; i < repetitions; ++i) {
    Load(folder.path(), dialects, ours);
    peer.push_back(RunPeer(folder.path()));
  }
  const double cpu = Median(ours.cpu), wall = Median(ours.wall);
  fmt::print("{} manifests of {} KB, {} settings and {} columns each; median of {}\n", kPlugins,
             bytes / kPlugins / 1000, kSettings, kColumns, repetitions);
  fmt::print("  ours  {:6.1f} ms of processor time, {:6.1f} ms in all\n", cpu * 1e3, wall * 1e3);
  fmt::print("  peer  {:6.1f} ms of processor time\n", Median(peer) * 1e3);
  fmt::print("  ours/peer {:.2f}\n", cpu / Median(peer));
  fmt::print("target, under 100 ms of processor time: {}\n", cpu < kTarget ? "reached" : "missed");
  return cpu < kTarget ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) { return backplane::bench::Main(argc > 1 ? std::atoi(argv[1]) : 11); }
