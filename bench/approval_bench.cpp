// Approval: hashing and keeping a tree of 1,000 files, and putting back its working copy.
//
// Beside it, in the same run: reading and hashing the same files and no more, and comparing a copy
// by content.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "base/files.h"
#include "base/test_folder.h"
#include "base/text.h"
#include "bench.h"
#include "package/working_copy.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;

constexpr int kFiles = 1'000;
constexpr int kRounds = 20;

template <typename Function>
double Milliseconds(Function function) {
  const double start = bench::WallSeconds();
  function();
  return (bench::WallSeconds() - start) * 1'000;
}

int Main() {
  const TestFolder folder;
  const fs::path source = folder.path() / "plugin";
  for (int i = 0; i < kFiles; ++i) {
    const fs::path file = source / fmt::format("package{}", i / 50) / fmt::format("module{}.py", i);
    fs::create_directories(file.parent_path());
    std::ofstream(file) << fmt::format("value = {}\n", i) << std::string(4'000, '#') << "\n";
  }
  const Blobs blobs(folder.path() / "contents");
  TreeReader reader(blobs);
  Tree tree;
  const double first = Milliseconds([&] { tree = reader.Read({source}).value(); });
  const double again = Milliseconds([&] { tree = reader.Read({source}).value(); });
  std::size_t bytes = 0;
  const double plain = Milliseconds([&] {
    for (const TreeFile& file : tree.files) bytes += Sha256Hex(ReadFile(file.path, 1 << 20).value()).size();
  });
  const WorkingCopy copy(folder.path() / "copy", tree, {}, blobs);
  const double written = Milliseconds([&] { copy.PutBack().value(); });
  const double unchanged = Milliseconds([&] {
                             for (int i = 0; i < kRounds; ++i) copy.PutBack().value();
                           }) /
                           kRounds;
  const double compared = Milliseconds([&] {
    for (const TreeFile& file : tree.files)
      bytes += Sha256Hex(ReadFile(copy.PathOf(file.path), 1 << 20).value()) == file.content ? 1 : 0;
  });
  fmt::print("{} files of 4 KB\n", kFiles);
  fmt::print("  hashed and kept, first time       {:8.1f} ms   (hashed only: {:.1f} ms)\n", first, plain);
  fmt::print("  looked at again, unchanged        {:8.1f} ms   {:.2f} of hashing\n", again, again / plain);
  fmt::print("  working copy written              {:8.1f} ms\n", written);
  fmt::print("  working copy before a run         {:8.2f} ms   {:.3f} of comparing contents ({:.1f} ms)\n", unchanged,
             unchanged / compared, compared);
  return tree.files.size() == kFiles && bytes > 0 && first < 1'000 && unchanged < 5 ? 0 : 1;
}

}  // namespace
}  // namespace backplane::package

int main() { return backplane::package::Main(); }
