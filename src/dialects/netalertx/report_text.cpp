#include "dialects/netalertx/report_text.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "dialects/netalertx/setting_values.h"

namespace backplane::netalertx {
namespace {

constexpr std::size_t kMostRows = 1'000;

constexpr std::string_view kTextTemplate =
    R"(NEW_DEVICES_TABLE
DOWN_DEVICES_TABLE
DOWN_RECONNECTED_TABLE
EVENTS_TABLE
PLUGINS_TABLE

REPORT_DATE, SERVER_NAME
REPORT_DASHBOARD_URL
)";

constexpr std::string_view kHtmlTemplate =
    R"(<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>NetAlertX</title></head>
<body style="font-family: sans-serif; font-size: 14px">
<div style="display: none">PREHEADER</div>
NEW_DEVICES_TABLE
DOWN_DEVICES_TABLE
DOWN_RECONNECTED_TABLE
EVENTS_TABLE
PLUGINS_TABLE
<p style="color: #666666">REPORT_DATE, SERVER_NAME<br><a href="REPORT_DASHBOARD_URL">REPORT_DASHBOARD_URL</a></p>
</body></html>
)";

// By their words in a template. Texts that are put in are not looked at again.
using Tokens = std::map<std::string, std::string, std::less<>>;

std::string Filled(std::string_view text, const Tokens& tokens) {
  std::string out;
  while (!text.empty()) {
    const auto token =
        std::find_if(tokens.begin(), tokens.end(), [&](const auto& one) { return text.starts_with(one.first); });
    if (token != tokens.end()) {
      out += token->second;
      text.remove_prefix(token->first.size());
    } else {
      // Tokens begin with a capital letter.
      const auto next = std::find_if(text.begin() + 1, text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      const auto passed = static_cast<std::size_t>(next - text.begin());
      out += text.substr(0, passed);
      text.remove_prefix(passed);
    }
  }
  return out;
}

std::string TableToken(const ReportSection& section) {
  std::string token;
  for (const char c : section.name) token += c == '_' ? c : static_cast<char>(c - 'a' + 'A');
  return token + "_TABLE";
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

// Runs of three and more newlines become two.
std::string WithoutGaps(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '\n' || !out.ends_with("\n\n")) out += c;
  return out;
}

// {column} becomes the value; of another word it stays as it is.
std::string TemplateLine(std::string_view line, const ReportSection& section, const std::vector<std::string>& row) {
  std::string out;
  while (!line.empty()) {
    const auto open = line.find('{'), close = open == std::string_view::npos ? open : line.find('}', open);
    if (close == std::string_view::npos) break;
    const auto column =
        std::find(section.columns.begin(), section.columns.end(), line.substr(open + 1, close - open - 1));
    out += line.substr(0, open);
    if (column == section.columns.end()) {
      out += '{';
      line.remove_prefix(open + 1);
      continue;
    }
    out += row[static_cast<std::size_t>(column - section.columns.begin())];
    line.remove_prefix(close + 1);
  }
  return out += line;
}

std::size_t ShownRows(const ReportSection& section) { return std::min(section.rows.size(), kMostRows); }

std::string SectionText(const ReportSection& section, const Settings& settings) {
  if (section.rows.empty()) return {};
  std::string out;
  if (FlagOf(settings, "NTFPRCS_TEXT_SECTION_HEADERS", true)) out = fmt::format("{}\n---------\n", section.title);
  const std::string line = TextOf(settings, fmt::format("NTFPRCS_TEXT_TEMPLATE_{}", section.name));
  for (std::size_t i = 0; i < ShownRows(section); ++i) {
    const std::vector<std::string>& row = section.rows[i];
    if (!line.empty()) {
      out += TemplateLine(line, section, row) + "\n";
      continue;
    }
    for (std::size_t c = 0; c < row.size(); ++c) out += fmt::format("{}: \t{}\n", section.columns[c], row[c]);
    out += "\n";
  }
  if (section.rows.size() > kMostRows) out += fmt::format("... and {} more\n", section.rows.size() - kMostRows);
  return out + "\n";
}

std::string Cell(std::string_view column, const std::string& value, const ReportFrame& frame) {
  if (column != "eveMac" || frame.dashboard.empty()) return Escaped(value);
  return fmt::format("<a href=\"{}/deviceDetails.php?mac={}\">{}</a>", Escaped(frame.dashboard), Escaped(value),
                     Escaped(value));
}

std::string SectionHtml(const ReportSection& section, const ReportFrame& frame) {
  if (section.rows.empty()) return {};
  std::string out = fmt::format(
      "<h3>{}</h3>\n<table border=\"1\" cellspacing=\"0\" cellpadding=\"3\" "
      "style=\"border-collapse: collapse; font-size: 12px; width: 100%\">\n<tr>",
      section.title);
  for (const std::string_view column : section.columns)
    out += fmt::format("<th style=\"color: #ffffff; background: #3c6e91; text-align: left\">{}</th>", column);
  out += "</tr>\n";
  for (std::size_t i = 0; i < ShownRows(section); ++i) {
    out += "<tr>";
    for (std::size_t c = 0; c < section.columns.size(); ++c)
      out += fmt::format("<td>{}</td>", Cell(section.columns[c], section.rows[i][c], frame));
    out += "</tr>\n";
  }
  out += "</table>\n";
  if (section.rows.size() > kMostRows) out += fmt::format("<p>... and {} more</p>\n", section.rows.size() - kMostRows);
  return out;
}

Tokens FrameTokens(const Report& report, const ReportFrame& frame) {
  return {{"NEW_VERSION", ""},
          {"REPORT_DATE", frame.time},
          {"SERVER_NAME", frame.server},
          {"BUILD_VERSION", BACKPLANE_VERSION},
          {"BUILD_DATE", ""},
          {"REPORT_DASHBOARD_URL", frame.dashboard},
          {"PREHEADER", ReportTitle(report)}};
}

}  // namespace

std::string ReportTitle(const Report& report) {
  constexpr std::array<std::pair<const char*, const char*>, kSections> kWords = {
      {{"new device", "new devices"},
       {"down device", "down devices"},
       {"device that is back", "devices that are back"},
       {"event", "events"},
       {"report of plugins", "reports of plugins"}}};
  std::string title;
  for (std::size_t i = 0; i < kSections; ++i)
    if (const std::size_t count = report[i].rows.size(); count > 0)
      title +=
          fmt::format("{}{} {}", title.empty() ? "" : ", ", count, count == 1 ? kWords[i].first : kWords[i].second);
  return title;
}

std::string ReportText(const Report& report, const Settings& settings, const ReportFrame& frame) {
  Tokens tokens = FrameTokens(report, frame);
  for (const ReportSection& section : report) tokens[TableToken(section)] = SectionText(section, settings);
  return WithoutGaps(Filled(frame.text_template.empty() ? kTextTemplate : frame.text_template, tokens));
}

std::string ReportHtml(const Report& report, const ReportFrame& frame) {
  Tokens tokens = FrameTokens(report, frame);
  for (auto& [token, text] : tokens) text = Escaped(text);
  for (const ReportSection& section : report) tokens[TableToken(section)] = SectionHtml(section, frame);
  return Filled(frame.html_template.empty() ? kHtmlTemplate : frame.html_template, tokens);
}

// A first scan brings a row for each device: one document of them all would cost several times as much.
std::string ReportJson(const Report& report) {
  std::string out;
  for (const ReportSection& section : report) {
    out += fmt::format("{}\"{}\":[", out.empty() ? '{' : ',', section.name);
    for (const std::vector<std::string>& row : section.rows) {
      out += &row == &section.rows.front() ? "{" : ",{";
      for (std::size_t c = 0; c < row.size(); ++c)
        out += fmt::format("{}\"{}\":{}", c == 0 ? "" : ",", section.columns[c], DumpJson(row[c]));
      out += '}';
    }
    out += fmt::format("],\"{}_meta\":{}", section.name,
                       DumpJson({{"title", section.title}, {"columnNames", section.columns}}));
  }
  return out + "}";
}

}  // namespace backplane::netalertx
