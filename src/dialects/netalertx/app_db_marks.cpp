#include "dialects/netalertx/app_db_marks.h"

#include <array>
#include <string_view>

namespace backplane::netalertx {
namespace {

struct Mark {
  std::string_view name;
  std::int64_t Marks::* value;
};
constexpr std::array kMarks = {
    Mark{"file", &Marks::file},         Mark{"store", &Marks::store},     Mark{"entry", &Marks::entry},
    Mark{"history", &Marks::history},   Mark{"reports", &Marks::reports}, Mark{"events", &Marks::events},
    Mark{"sessions", &Marks::sessions}, Mark{"bus", &Marks::bus},         Mark{"notifications", &Marks::notifications}};

}  // namespace

Marks ReadMarks(store::Connection& db) {
  Marks marks;
  store::Rows rows = db.Query("SELECT name, value FROM Backplane_Marks");
  while (rows.Next())
    for (const Mark& mark : kMarks)
      if (rows.View(0) == mark.name) marks.*mark.value = rows.Int(1);
  return marks;
}

void WriteMarks(store::Connection& db, const Marks& before, const Marks& after) {
  for (const Mark& mark : kMarks)
    if (before.*mark.value != after.*mark.value)
      db.Execute("INSERT OR REPLACE INTO Backplane_Marks VALUES (?, ?)", mark.name, after.*mark.value);
}

}  // namespace backplane::netalertx
