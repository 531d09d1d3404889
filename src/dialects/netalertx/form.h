// A manifest's setting as the JSON Schema of a form field. docs/dialects/netalertx.md has the table.
#pragma once

#include <string>
#include <string_view>

#include "dialects/netalertx/words.h"
#include "plugin/manifest.h"

namespace backplane::netalertx {

/// The schema of `setting`, an entry of a manifest's `settings` or of a pop-up form, whose value is `declared`'s,
/// with texts in `language`. Never fails: what is missing or of the wrong kind is left out.
Json FormSchema(const Json& setting, const Setting& declared, std::string_view language);

/// An entry of a manifest's `settings`, or of a pop-up form, under that key.
Setting DeclaredSetting(const Json& setting, std::string key, std::string_view language = {});

/// The functions that a button of a form may call.
Words ButtonCalls();

}  // namespace backplane::netalertx
