// backplane metrics ...
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

constexpr std::size_t kPlotWidth = 60;

// "port=1 vlan=2"
std::string Dimensions(const Json& series) {
  std::string text;
  for (const auto& [name, value] : series.at("dimensions").items())
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value.get<std::string>());
  return text;
}

std::string Rounded(const Json& number) {
  return number.is_number_float() ? fmt::format("{:.6g}", number.get<double>()) : DumpJson(number);
}

int List(const Args& args) {
  Client::Query query = {{"limit", "1000"}};
  for (const std::string name : {"resource", "group", "name"})
    if (args.Has("--" + name)) query[name] = args.Get("--" + name);
  Json dimensions = Json::object();
  for (const std::string& filter : args.All("--where")) {
    const auto pair = Assignment(filter);
    if (!pair) return Report({Errc::kInvalid, fmt::format("--where {}: write DIMENSION=VALUE", filter), {}});
    dimensions[pair->first] = pair->second;
  }
  if (!dimensions.empty()) query["dimensions"] = DumpJson(dimensions);
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Json all = Json::array();
  while (true) {
    auto page = client->Get("/metrics", query);
    if (!page) return Report(page.error());
    for (Json& series : (*page)["series"]) all.push_back(std::move(series));
    if ((*page)["next"].is_null()) break;
    query["after"] = DumpJson((*page)["next"]);
  }
  if (args.Has("--json")) return PrintJson(all), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& series : all) {
    const Json last = series.at("last").is_null() ? Json::object() : series.at("last");
    rows.push_back({Text(series, "id"), Text(series, "resource"), Text(series, "group"), Text(series, "name"),
                    Text(series, "kind"), last.empty() ? "" : Rounded(last.at("value")), ShortTime(Text(last, "at")),
                    Dimensions(series)});
  }
  PrintTable({"ID", "RESOURCE", "GROUP", "NAME", "KIND", "LAST VALUE", "AT (UTC)", "DIMENSIONS"}, rows);
  return kOk;
}

// One character per point or, if there are too many, per so many points: their mean.
std::string Plot(const std::vector<double>& values) {
  constexpr std::string_view kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<double> columns;
  const std::size_t width = std::min(kPlotWidth, values.size());
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t begin = i * values.size() / width, end = (i + 1) * values.size() / width;
    double sum = 0;
    for (std::size_t at = begin; at < end; ++at) sum += values[at] / static_cast<double>(end - begin);
    columns.push_back(sum);
  }
  const auto [least, most] = std::minmax_element(columns.begin(), columns.end());
  std::string plot;
  for (const double value : columns) {
    const double height = *most > *least ? (value / 2 - *least / 2) / (*most / 2 - *least / 2) : 0;
    plot += kBars[std::lround(height * 7)];
  }
  return plot;
}

// Of a counter how fast it rises says more than its value.
std::vector<double> PlottedValues(const Json& series, const Json& points) {
  const bool counter = series.at("kind") == "counter";
  std::vector<double> values;
  for (const Json& point : points) {
    const auto found = point.find(counter ? "rate" : point.contains("avg") ? "avg" : "value");
    if (found != point.end() && found->is_number()) values.push_back(found->get<double>());
  }
  return values;
}

void PrintSeries(const Json& series, const Json& points, bool steps) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const char* name : {"id", "resource", "endpoint", "group", "name", "kind", "interval"})
    fields.emplace_back(name, Text(series, name));
  fields.emplace_back("dimensions", Dimensions(series));
  const std::vector<double> plotted = PlottedValues(series, points);
  if (plotted.size() > 1) {
    const auto [least, most] = std::minmax_element(plotted.begin(), plotted.end());
    fields.emplace_back(series.at("kind") == "counter" ? "per second" : "values",
                        fmt::format("{:.6g} to {:.6g}", *least, *most));
    fields.emplace_back("plot", Plot(plotted));
  }
  PrintFields(fields);
  std::puts("");
  std::vector<std::string> heading = {"AT (UTC)"};
  std::vector<const char*> columns = {"value"};
  if (steps) columns = {"samples", "min", "avg", "max", "last"};
  if (series.at("kind") == "counter") columns.push_back("rate");
  for (const std::string column : columns) {
    std::string title = column == "rate" ? "per second" : column;
    std::transform(title.begin(), title.end(), title.begin(), [](char c) { return std::toupper(c); });
    heading.push_back(std::move(title));
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& point : points) {
    auto& row = rows.emplace_back(1, ShortTime(Text(point, "at")));
    for (const char* column : columns) row.push_back(point.contains(column) ? Rounded(point.at(column)) : "");
  }
  PrintTable(heading, rows);
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = {{"limit", "10000"}};
  for (const std::string name : {"from", "to", "step"})
    if (args.Has("--" + name)) query[name] = args.Get("--" + name);
  Json series, points = Json::array();
  while (true) {
    auto page = client->Get("/metrics/" + args.Get("SERIES"), query);
    if (!page) return Report(page.error());
    series = (*page)["series"];
    for (Json& point : (*page)["points"]) points.push_back(std::move(point));
    if ((*page)["next"].is_null()) break;
    query["from"] = (*page)["next"].get<std::string>();
  }
  if (args.Has("--json")) return PrintJson({{"series", series}, {"points", points}}), kOk;
  PrintSeries(series, points, args.Has("--step"));
  return kOk;
}

}  // namespace

std::vector<Command> MetricCommands() {
  return {{"metrics list",
           "List what plugins measured, with the last value",
           {},
           ClientOptions({{"--resource", "TEXT", "Only of resources with this in site|class|subclass|type|id"},
                          {"--group", "GROUP", "Only of this group"},
                          {"--name", "NAME", "Only of this name"},
                          {"--where", "DIM=VALUE", "Only with this value of a dimension", true}}),
           List},
          {"metrics show",
           "Show a series: its samples, plotted and as a table",
           {{"SERIES", "Its id"}},
           ClientOptions({{"--from", "TIME", "From this time (2026-08-22T10:00:00Z) or so long ago (-1h, the default)"},
                          {"--to", "TIME", "To this time; now unless given"},
                          {"--step", "DURATION", "Sum up steps of this length, such as 5m"}}),
           Show,
           "Of a counter the plot and PER SECOND say how fast it rises; one that fell has begun anew."}};
}

}  // namespace backplane::cli
