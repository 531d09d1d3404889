#include "dialects/netalertx/prepare_params.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/app_db_query.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/settings.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

bool Flag(const Json& param, const char* key) {
  const auto at = param.find(key);
  return at != param.end() && *at == true;
}

std::string Joined(const std::vector<std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    out += Trim(ReplaceAll(values[i], "'", ""));
  }
  return out;
}

}  // namespace

std::string Params::Into(std::string_view text) const {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto hit = std::find_if(placeholders.begin(), placeholders.end(), [&](const Placeholder& placeholder) {
      return text[at] == '{' && text.substr(at).starts_with(placeholder.mark);
    });
    if (hit == placeholders.end()) {
      out += text[at++];
      continue;
    }
    out += hit->value;
    at += hit->mark.size();
  }
  return out;
}

Result<Params> ReadParams(const Manifest& manifest, std::string_view command, const Settings& values,
                          const std::filesystem::path& database) {
  Params out;
  const auto params = manifest.document.find("params");
  for (std::size_t i = 0; params != manifest.document.end() && i < params->size(); ++i) {
    const Json& param = (*params)[i];
    const std::string name = TextAt(param, "name"), given = TextAt(param, "value");
    const std::string mark = "{" + name + "}";
    const auto fail = [&](Errc code, std::string_view reason) {
      return Fail(code, fmt::format("{}: parameter \"{}\": {}", manifest.name, name, reason),
                  fmt::format("params[{}].value", i));
    };
    const bool used = command.find(mark) != std::string_view::npos;
    std::string value;
    if (TextAt(param, "type") == "sql") {
      if (!used && !Flag(param, "timeoutMultiplier")) continue;
      if (!used) {
        const auto count = CountRows(database, given);
        if (!count) return fail(count.error().code, count.error().message);
        out.rows[name] = *count;
        continue;
      }
      const auto rows = QueryFirstColumn(database, given);
      if (!rows) return fail(rows.error().code, rows.error().message);
      if (Flag(param, "timeoutMultiplier")) out.rows[name] = rows->size();
      value = Joined(*rows);
    } else {
      if (!used) continue;
      const auto setting = values.find(given);
      if (setting == values.end())
        return fail(Errc::kInvalid, fmt::format("nobody declares the setting {} that it names", given));
      auto text = ParamText(setting->second);
      if (!text) return fail(Errc::kInvalid, text.error().message);
      value = *std::move(text);
    }
    out.placeholders.push_back({mark, Flag(param, "base64") ? Base64Encode(value) : std::move(value)});
  }
  out.placeholders.push_back({"{s-quote}", "'"});
  return out;
}

}  // namespace backplane::netalertx
