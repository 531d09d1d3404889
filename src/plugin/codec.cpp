#include "plugin/codec.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include "base/text.h"

namespace backplane {
namespace {

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and a zero byte
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

std::string MaskSecrets(std::string_view text, const std::vector<std::string>& secrets) {
  std::vector<std::string> forms;
  for (const std::string& secret : secrets) {
    forms.push_back(secret);
    forms.push_back(Base64(secret));
  }
  // The longer ones first: one may be part of another.
  std::stable_sort(forms.begin(), forms.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::string masked(text);
  for (const std::string& form : forms)
    if (!form.empty()) masked = ReplaceAll(masked, form, "***");
  return masked;
}

std::string DisplayCommand(const Invocation& invocation) {
  return MaskSecrets(fmt::format("{}", fmt::join(invocation.argv, " ")), invocation.secrets);
}

Result<Json> Codec::CommonValue(const std::string&, const Json& given) const { return given; }

OwnConfig Codec::ReadConfig(const std::filesystem::path&, const std::filesystem::path& config) const {
  OwnConfig none;
  if (!config.empty())
    none.findings.push_back({Finding::Severity::kError, config.string(), "",
                             fmt::format("plugins.config: {} has no configuration of its own", name())});
  return none;
}

Status Codec::MakePlugin(const NewPlugin&) const {
  return Fail(Errc::kUnavailable, fmt::format("{} has no template for new plugins", name()));
}

Presentation Codec::Present(const Manifest& manifest, std::string_view) const { return PresentPlainly(manifest); }

}  // namespace backplane
