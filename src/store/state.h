// The state that folds made, for comparing two stores.
#pragma once

#include <string>
#include <vector>

#include "store/database.h"

namespace backplane::store {

/// Tables that folds write and nobody else.
std::vector<std::string> FoldedTables();

/// Every row of such a table in a fixed order, its columns joined by '|'.
std::vector<std::string> StateRows(Connection& connection, const std::string& table);

}  // namespace backplane::store
