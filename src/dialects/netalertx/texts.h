// Texts that a manifest has in several languages: lists of {language_code, string}.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace backplane::netalertx {

/// The text at `key` in `language`, else in another form of it ("de_at" for "de"), in English (en_us), or the
/// first. Empty if there is none, or only the word that sends a reader to the files of the original's own page.
std::string LocalText(const Json& object, const char* key, std::string_view language = {});

/// Adds the codes of the languages that there is a text at `key` in, each once.
void AddLanguages(const Json& object, const char* key, std::vector<std::string>& languages);

/// The member of that name if it is text, else "".
std::string TextAt(const Json& object, const char* key);

}  // namespace backplane::netalertx
