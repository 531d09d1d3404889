// Queries of plugins and people on app.db: they can read it and do nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace backplane::netalertx {

/// The most that a query may take.
inline constexpr Millis kLongestQuery{5'000};

/// The first column of each row, as Python prints it. kInvalid says what is wrong with the query: it is no single
/// statement that reads, takes longer than kLongestQuery, or has a value of more than 16 MiB or gives more than that.
/// kUnavailable: no app.db at `file`.
Result<std::vector<std::string>> QueryFirstColumn(const std::filesystem::path& file, std::string_view sql);

/// How many rows there are, of any size together; errors as above.
Result<std::size_t> CountRows(const std::filesystem::path& file, std::string_view sql);

/// The rows as RowsAsJson() has them (app_db.h), within `longest`; errors as above.
Result<std::string> QueryJson(const std::filesystem::path& file, std::string_view sql, Millis longest);

}  // namespace backplane::netalertx
