// Arbitrary bytes as an app.conf: what is read can be written as a Python literal, and reads the same again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dialects/netalertx/app_conf.h"
#include "dialects/netalertx/python_literal.h"
#include "dialects/netalertx/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const netalertx::AppConf conf = netalertx::ParseAppConf(text, "app.conf");
  for (const auto& [key, value] : conf.values) {
    const auto again = netalertx::ParseLiteral(netalertx::PythonLiteral(value.value));
    if (!again || *again != value.value) std::abort();
  }
  return 0;
}
