// A report as texts: for people, with and without HTML, and for programs.
#pragma once

#include <string>
#include <string_view>

#include "dialects/netalertx/report.h"

namespace backplane::netalertx {

/// What a report tells besides its sections.
struct ReportFrame {
  std::string time;                          ///< of the report, for people
  std::string server;                        ///< the name of this machine
  std::string dashboard;                     ///< address of the page, without '/' at the end; empty: nobody has said it
  std::string text_template, html_template;  ///< a person's own; empty: ours
};

/// One line: "2 new devices, 1 down device".
std::string ReportTitle(const Report& report);

/// Each section as its title and its rows, a line for each value, or as the setting NTFPRCS_TEXT_TEMPLATE_<section>
/// says. Of a section with very many rows the first ones, and how many more there are; so in HTML.
std::string ReportText(const Report& report, const Settings& settings, const ReportFrame& frame);
std::string ReportHtml(const Report& report, const ReportFrame& frame);

/// {"<section>": [rows], "<section>_meta": {"title", "columnNames"}, ...}, with every section and every row.
std::string ReportJson(const Report& report);

}  // namespace backplane::netalertx
