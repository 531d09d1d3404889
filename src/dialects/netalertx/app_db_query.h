// Queries of plugins and people on app.db: they can read it and do nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane::netalertx {

/// The first column of each row, as Python prints it. kInvalid says what is wrong with the query: it is no single
/// statement that reads, takes longer than 5 seconds, or gives more than 1 MiB. kUnavailable: no app.db at `file`.
Result<std::vector<std::string>> QueryFirstColumn(const std::filesystem::path& file, std::string_view sql);

/// The rows as RowsAsJson() has them (app_db.h); errors as above.
Result<std::string> QueryJson(const std::filesystem::path& file, std::string_view sql);

}  // namespace backplane::netalertx
