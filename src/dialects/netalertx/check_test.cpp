#include "dialects/netalertx/check.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/netalertx/test_plugin.h"
#include "dialects/netalertx/words.h"

namespace backplane::netalertx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A manifest without a mistake that has a little of everything.
Json Whole() {
  Json document = TestManifest("CASE");
  AddSetting(document, "WATCH", "array", Json::array({"watchedValue1"}));
  AddSetting(document, "REPORT_ON", "array", Json::array({"new"}));
  AddSetting(document, "SET_ALWAYS", "array", Json::array({"devMac"}));
  AddSetting(document, "mode", "string", "fast");
  document["settings"].back()["options"] = {"fast", "slow"};
  document["settings"].back()["type"]["elements"][0]["elementType"] = "select";
  document["mapped_to_table"] = "CurrentScan";
  document["params"] = Json::parse(R"j([{"name":"mode","type":"setting","value":"CASE_mode","base64":true}])j");
  document["database_column_definitions"] = Json::parse(R"j([
    {"column":"objectPrimaryId","mapped_to_column":"scanMac","css_classes":"col-sm-2","show":true,"type":"label",
     "default_value":"","options":[],"localized":["name"],"name":[{"language_code":"en_us","string":"MAC"}]},
    {"column":"status","show":true,"type":"threshold","options":[{"maximum":1,"hexColor":"#fff"}],"localized":[]}])j");
  document["data_filters"] = Json::parse(R"j([{"compare_column":"objectPrimaryId","compare_operator":"==",
    "compare_field_id":"txtMacFilter","compare_js_template":"'{value}'.toString()","compare_use_quotes":true}])j");
  return document;
}

std::vector<std::string> Lines(const Json& document) {
  std::vector<std::string> out;
  for (const Finding& finding : CheckManifest(document, "config.json"))
    out.push_back((IsError(finding) ? "error " : "warning ") + finding.where + ": " + finding.message);
  return out;
}

TEST(Check, AWholeManifestHasNoFinding) { EXPECT_THAT(Lines(Whole()), IsEmpty()); }

struct Mistake {
  const char* at;     // JSON pointer
  const char* value;  // JSON; empty: the member is taken away
  const char* finding;
};

// Indices of TestManifest and Whole(): 0 RUN, 1 RUN_SCHD, 2 CMD, 3 RUN_TIMEOUT, 4 WATCH, 5 REPORT_ON, 6 SET_ALWAYS, 7
// mode.
const Mistake kMistakes[] = {
    // The top.
    {"/code_name", "", "warning code_name: is missing: the name of the plugin's folder"},
    {"/code_name", "1", "warning code_name: expected text, got number"},
    {"/setings", "[]", "warning setings: unknown key: it is kept, and has no effect; did you mean settings?"},
    {"/plugin_type", R"j("device_scaner")j",
     "warning plugin_type: \"device_scaner\" is none of device_scanner, other, publisher, system, core: it is a group "
     "of its own; did you mean device_scanner?"},
    {"/data_source", R"j("scrpt")j",
     "error data_source: \"scrpt\" is none of script, template, app-db-query, sqlite-db-query; did you mean script?"},
    {"/enabled", R"j("yes")j", "warning enabled: expected true or false, got string"},
    {"/execution_order", R"j("Layer_x")j",
     "error execution_order: expected Layer_ and a number, or Layer_N, got \"Layer_x\""},
    {"/execution_order", "3", "error execution_order: expected Layer_ and a number, or Layer_N, got 3"},
    {"/timeout", "5", "warning timeout: has no effect: the limit is the setting RUN_TIMEOUT"},
    {"/display_name/0/language_code", R"j("en-US")j",
     "warning display_name[0].language_code: \"en-US\" is no language code such as en_us; did you mean en_us?"},
    {"/display_name/1", R"j({"language_code":"en_us","string":"again"})j",
     "warning display_name[1].language_code: \"en_us\" is there already: the first counts"},
    {"/icon/0/string", "", "error icon[0].string: is missing"},
    // Parameters.
    {"/params/0/type", R"j("settings")j",
     "error params[0].type: \"settings\" is neither setting nor sql; did you mean setting?"},
    {"/params/0/base64", R"j("true")j", "warning params[0].base64: expected true or false, got string"},
    {"/params/0/value", R"j("CASE_mood")j",
     "warning params[0].value: the plugin declares no setting CASE_mood; did you mean CASE_mode?"},
    {"/params/1", R"j({"name":"mode","type":"sql","value":"SELECT 1"})j",
     "warning params[1].name: \"mode\" is there already: the first counts"},
    {"/settings/2/default_value", R"j("script {mod}")j",
     "warning settings[2].default_value: {mod} is no parameter and stays as it is; did you mean mode?"},
    // Settings.
    {"/settings/7/function", R"j("Watch")j",
     "warning settings[7].function: \"Watch\" means nothing to the host; did you mean WATCH?"},
    {"/settings/7/function", R"j("WATCH")j",
     "warning settings[7].function: \"WATCH\" is declared twice: the last counts"},
    {"/settings/7/type/dataType", R"j("strings")j",
     "warning settings[7].type.dataType: \"strings\" is none of string, integer, boolean, array, object, none: the "
     "value is passed on as it is; did you mean string?"},
    {"/settings/7/type/elements", "", "warning settings[7].type.elements: is missing: a list of what the form shows"},
    {"/settings/7/type/element", "[]",
     "warning settings[7].type.element: unknown key: it is kept, and has no effect; did you mean elements?"},
    {"/settings/7/type/elements/0/elementType", R"j("selects")j",
     "warning settings[7].type.elements[0].elementType: \"selects\" is none of input, select, button, span, textarea, "
     "datatable: it is shown as an input; did you mean select?"},
    {"/settings/7/type/elements/0/transformers/0", R"j("base46")j",
     "warning settings[7].type.elements[0].transformers[0]: \"base46\" is none of base64, prefix|base64, name|base64, "
     "sha256, getString, deviceChip, deviceRelType: it changes nothing; did you mean base64?"},
    {"/settings/7/type/elements/0/elementOptions/0", R"j({"multipel":"true"})j",
     "warning settings[7].type.elements[0].elementOptions[0].multipel: unknown key: it is kept, and has no effect; did "
     "you mean multiple?"},
    {"/settings/7/type/elements/0/elementOptions/0", R"j({"multiple":"yes"})j",
     "warning settings[7].type.elements[0].elementOptions[0].multiple: expected \"true\" or \"false\""},
    {"/settings/7/type/elements/0/elementOptions/0", R"j({"type":"pasword"})j",
     "warning settings[7].type.elements[0].elementOptions[0].type: \"pasword\" is none of number, checkbox, password, "
     "text: it is shown as text; did you mean password?"},
    {"/settings/7/type/elements/0/elementOptions/0", R"j({"onClick":"addLst(this)"})j",
     "warning settings[7].type.elements[0].elementOptions[0].onClick: \"addLst\" is none of addList, addViaPopupForm, "
     "removeFromList, removeAllOptions, selectChange, selectAll, unselectAll, removeDataTableRow, cloneDataTableRow, "
     "generateApiToken, generateNaxNodeName: it does nothing; did you mean addList?"},
    {"/settings/7/type/elements/0/elementOptions/0", R"j({"base64Regex":"?"})j",
     "warning settings[7].type.elements[0].elementOptions[0].base64Regex: is not base64 of a regular expression: "
     "values "
     "are not checked"},
    {"/settings/7/events", R"j(["rum"])j",
     "warning settings[7].events[0]: \"rum\" is none of run, test, add_option, select_icon, copy_icons, add_icon, "
     "go_to_node, go_to_device: its button does nothing; did you mean run?"},
    {"/settings/7/maxLength", "0", "warning settings[7].maxLength: expected a whole number above 0"},
    {"/settings/7/default_value", R"j("midle")j",
     "warning settings[7].default_value: \"midle\" is not among the options"},
    {"/settings/7/options", R"j(["{vale}"])j",
     "warning settings[7].options[0]: options_params has no entry \"vale\": there is nothing to choose from"},
    {"/settings/7/options_params", R"j([{"name":"value","type":"sq","value":"SELECT 1"}])j",
     "warning settings[7].options_params[0].type: \"sq\" is none of setting, sql: it gives no choices; did you mean "
     "sql?"},
    {"/settings/7/description", "[]",
     "error settings[7].description: is missing: a list of {language_code, string}, at least one"},
    // Those that the host reads.
    {"/settings/0/options", R"j(["onse"])j",
     "warning settings[0].options[0]: \"onse\" is none of disabled, once, schedule, always_after_scan, "
     "before_name_updates, on_new_device, on_notification, before_config_save, unused: the plugin would never run; did "
     "you mean once?"},
    {"/settings/0/default_value", R"j("onse")j",
     "error settings[0].default_value: \"onse\" is none of disabled, once, schedule, always_after_scan, "
     "before_name_updates, on_new_device, on_notification, before_config_save, unused; did you mean once?"},
    {"/settings/1/default_value", R"j("* * * *")j",
     "warning settings[1].default_value: cron expression \"* * * *\" has 4 fields, not 5 (minute, hour, day of "
     "month, month, day of week)"},
    {"/settings/1/default_value", R"j("61 25 * * *")j",
     "warning settings[1].default_value: minute \"61\" is out of range: 0 to 59; hour \"25\" is out of range: 0 to 23"},
    {"/settings/3/default_value", R"j("")j",
     "warning settings[3].default_value: \"\" does not fit its type: expected a whole number"},
    {"/settings/3/default_value", "0",
     "warning settings[3].default_value: expected seconds, at least 1: it counts as 10"},
    {"/settings/3/type/dataType", R"j("string")j",
     "warning settings[3].type.dataType: \"string\": here the host expects integer"},
    {"/settings/4/default_value", R"j(["watchedValue5"])j",
     "warning settings[4].default_value[0]: \"watchedValue5\" is no column that a run reports: it is not watched; did "
     "you mean watchedValue1?"},
    {"/settings/5/default_value", R"j(["changed"])j",
     "warning settings[5].default_value[0]: \"changed\" is none of new, watched-changed, watched-not-changed, "
     "missing-in-last-scan: nothing is ever called so"},
    {"/settings/6/default_value", R"j(["devIP"])j",
     "warning settings[6].default_value[0]: \"devIP\" is none of devMac, devLastIP, devName, devVendor, devType, "
     "devParentMAC, devParentPort, devParentRelType, devSSID, devSite, devVlan, devSyncHubNode, devSourcePlugin, "
     "devFQDN: nothing is ever called so"},
    // Columns and filters.
    {"/database_column_definitions/1/column", R"j("stauts")j",
     "warning database_column_definitions[1].column: \"stauts\" is no field of an object, and there is no "
     "mapped_to_column_data that gives it a value; did you mean status?"},
    {"/database_column_definitions/1/show", "",
     "warning database_column_definitions[1].show: is missing: the column is not shown"},
    {"/database_column_definitions/0/type", R"j("lable")j",
     "warning database_column_definitions[0].type: \"lable\" is none of label, none, device_mac, device_name_mac, "
     "device_ip, url, url_http_https, textarea_readonly, textbox_save, threshold, replace, regex, eval: the value is "
     "shown as text; did you mean label?"},
    {"/database_column_definitions/0/type", "{}",
     "warning database_column_definitions[0].type: expected text such as \"label\", got object: the value is shown as "
     "text"},
    {"/database_column_definitions/1/options/0/maximum", R"j("1")j",
     "warning database_column_definitions[1].options[0].maximum: expected a number: values below it get the colour"},
    {"/database_column_definitions/1/options/0", R"j({"equals":"new"})j",
     "warning database_column_definitions[1].options[0].replacement: is missing"},
    {"/database_column_definitions/1/options/0", "{}",
     "warning database_column_definitions[1].options[0]: expected {maximum, hexColor}, {equals, replacement} or {type, "
     "param}"},
    {"/database_column_definitions/1/mapped_to_column", R"j("scanNam")j",
     "warning database_column_definitions[1].mapped_to_column: CurrentScan has no column \"scanNam\": nothing is "
     "mapped; "
     "did you mean scanName?"},
    {"/database_column_definitions/0/mapped_to_column", R"j("scanName")j",
     "warning database_column_definitions: no column is mapped to scanMac or scanLastIP: no device can come of a row"},
    {"/mapped_to_table", "", "warning mapped_to_table: is missing: mapped_to_column of 1 column has no effect"},
    {"/mapped_to_table", R"j("Devices")j",
     "warning mapped_to_table: only CurrentScan is known: rows are kept as objects and not mapped"},
    {"/data_filters/0/compare_column", R"j("primary")j",
     "warning data_filters[0].compare_column: expected a field of an object, such as objectPrimaryId"},
    {"/data_filters/0/compare_operator", R"j("=")j",
     "warning data_filters[0].compare_operator: \"=\" is none of ==, !=, ===, !==, <, <=, >, >=: nothing is left out; "
     "did "
     "you mean ==?"},
    {"/data_filters/0/compare_field_id", R"j("txtMac")j",
     "warning data_filters[0].compare_field_id: \"txtMac\" is none of txtMacFilter: nothing is left out"},
};

TEST(Check, EachMistakeIsNamedWithItsPlaceAndWhatWouldBeRight) {
  for (const Mistake& mistake : kMistakes) {
    Json document = Whole();
    const Json::json_pointer at(mistake.at);
    if (std::string_view(mistake.value).empty())
      document.at(at.parent_pointer()).erase(at.back());
    else
      document[at] = Json::parse(mistake.value);
    EXPECT_THAT(Lines(document), testing::Contains(mistake.finding)) << mistake.at;
  }
}

TEST(Check, AllAreNamedAtOnce) {
  Json document = Whole();
  document["data_source"] = "scrpt";
  document["settings"][0]["default_value"] = "onse";
  document["settings"][7]["evnts"] = 1;
  document["database_column_definitions"][0]["show"] = 1;
  EXPECT_EQ(Lines(document).size(), 4U);
}

TEST(Check, TextsAreLookedAtWhateverLocalizedIs) {
  for (const char* localized : {"\"all\"", "[]"}) {
    Json document = Whole();
    document["localized"] = Json::parse(localized);
    document["display_name"] = "Case";
    document["description"][0]["language_code"] = 7;
    document["icon"] = Json::array({"x"});
    const auto lines = Lines(document);
    for (const char* line : {"error display_name: expected a list, got string",
                             "error description[0].language_code: expected text, got number",
                             "error icon[0]: expected an object, got string"})
      EXPECT_THAT(lines, testing::Contains(line)) << localized;
  }
}

TEST(Check, EachMistakeIsToldOnce) {
  Json document = Whole();
  document["settings"][0]["options"] = {"disabled", "once"};
  document["settings"][0]["type"]["elements"][0]["elementType"] = "select";
  document["settings"][0]["default_value"] = "onse";
  document["settings"][3]["type"]["dataType"] = "intger";
  document["settings"][4].erase("name");
  document["settings"][5]["name"] = "Report";
  document["settings"][7]["type"]["dataType"] = "integer";
  document.erase("display_name");
  std::vector<std::string> places;
  for (const Finding& finding : CheckManifest(document, "config.json")) places.push_back(finding.where);
  EXPECT_THAT(places,
              testing::UnorderedElementsAre("display_name", "settings[0].default_value", "settings[3].type.dataType",
                                            "settings[4].name", "settings[5].name", "settings[7].default_value"));
}

TEST(Check, ABooleanIsTrueOrFalse) {
  Json document = Whole();
  document["settings"][7].erase("options");
  document["settings"][7]["type"]["dataType"] = "boolean";
  for (const Json& fine : {Json(true), Json("False"), Json(1), Json("0"), Json("")}) {
    document["settings"][7]["default_value"] = fine;
    EXPECT_THAT(Lines(document), IsEmpty()) << fine;
  }
  document["settings"][7]["default_value"] = "maybe";
  EXPECT_THAT(Lines(document),
              ElementsAre("warning settings[7].default_value: expected true or false, got \"maybe\": it "
                          "counts as false"));
}

TEST(Check, ThereIsNothingToRunOnlyIfItCouldBeRun) {
  Json document = Whole();
  document["settings"].erase(2);
  EXPECT_THAT(Lines(document), IsEmpty()) << "RUN is disabled and offers nothing else";
  document["settings"][0]["options"] = {"disabled", "once"};
  EXPECT_THAT(Lines(document), ElementsAre("warning settings: there is nothing to run: no CMD, or an empty one, though "
                                           "RUN offers to run it"));
  document["data_source"] = "template";
  EXPECT_THAT(Lines(document), IsEmpty());
  document["data_source"] = "script";
  document["settings"].erase(0);
  EXPECT_THAT(Lines(document), IsEmpty()) << "what has no RUN is run by nobody";
}

TEST(Check, TheScriptIsThere) {
  const TemporaryFolder root;
  const std::filesystem::path folder = root.path() / "case";
  std::filesystem::create_directory(folder);
  const auto lines = [&](const std::string& command) {
    Json document = Whole();
    document["settings"][2]["default_value"] = command;
    std::vector<std::string> out;
    for (const Finding& finding : CheckManifest(document, folder / "config.json")) {
      EXPECT_EQ(finding.where, "settings[2].default_value");
      out.push_back(finding.message);
    }
    return out;
  };
  const std::string command = "python3 /app/server/plugins/case/script.py";
  EXPECT_THAT(lines(command), ElementsAre("there is no file script.py in the plugin's folder, which holds no script"));
  for (const char* name : {"config.json", "README.md", "script.py", "tool.sh"}) std::ofstream(folder / name) << "";
  EXPECT_THAT(lines(command), IsEmpty());
  EXPECT_THAT(
      lines("python3 front/plugins/case/scrpt.py"),
      ElementsAre("there is no file scrpt.py in the plugin's folder, which holds script.py, tool.sh; did you mean "
                  "script.py?"));
  EXPECT_THAT(lines(command + " --to /app/front/plugins/case/made.csv"), IsEmpty()) << "a script may make files";
  for (const char* other : {"nmap 10.0.0.1", "python3 /app/server/plugins/other/script.py", "cat /srv/plugins/case/x"})
    EXPECT_THAT(lines(other), IsEmpty()) << other;
  std::filesystem::permissions(folder / "script.py", std::filesystem::perms::none);
  const AsNobody nobody(root.path());
  EXPECT_THAT(lines(command), ElementsAre("script.py cannot be read: permission denied"));
}

TEST(Check, AKeyThatStandsTwiceIsNamed) {
  const std::string text = R"j({"a": 1, "b": [0, {"c": 1, "d": [[]], "c": 2}], "a": {"b": 1, "a": 2}, "b": 1})j";
  std::vector<std::string> lines;
  for (const Finding& finding : CheckKeys(text, Json::parse(text), "config.json"))
    lines.push_back(finding.where + ": " + finding.message);
  EXPECT_THAT(lines, ElementsAre("b[1].c: is there twice in one object: the last counts",
                                 "a: is there twice in one object: the last counts",
                                 "b: is there twice in one object: the last counts"));
}

TEST(Check, ColonsInTextsAreNoKeys) {
  const std::string text = R"j({"a:b": ":", "c\":": "\\", "d": {":": ["x:y"]}})j";
  EXPECT_THAT(CheckKeys(text, Json::parse(text), "config.json"), IsEmpty());
}

TEST(Check, ScheduleNeedsARunSchd) {
  Json document = Whole();
  document["settings"][0]["options"] = {"disabled", "schedule"};
  document["settings"].erase(1);
  EXPECT_THAT(Lines(document),
              ElementsAre("warning settings: RUN can be schedule, but there is no RUN_SCHD that says when"));
}

TEST(Check, ADatabaseNeedsAPath) {
  Json document = Whole();
  document["data_source"] = "sqlite-db-query";
  EXPECT_THAT(Lines(document),
              ElementsAre("warning settings: there is no DB_PATH that says which file sqlite-db-query reads"));
}

TEST(Check, FormsInFormsEnd) {
  Json setting = Whole()["settings"][7];
  for (int i = 0; i < 6; ++i) {
    Json outer = Whole()["settings"][7];
    outer["type"]["elements"][0]["elementOptions"] = Json::array({{{"popupForm", Json::array({setting})}}});
    setting = outer;
  }
  Json document = Whole();
  document["settings"][7] = setting;
  const auto findings = CheckManifest(document, "config.json");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].message, "forms in forms: at most 4");
}

TEST(Words, WhatWasMeant) {
  EXPECT_EQ(Nearest("RUN_SCHED", kFunctions), "RUN_SCHD");
  EXPECT_EQ(Nearest("swicth", std::array<std::string_view, 1>{"switch"}), "switch");
  EXPECT_EQ(Nearest("SCHEDULE", kRunValues), "schedule");
  EXPECT_EQ(Nearest("xyz", kRunValues), "");
  EXPECT_EQ(Nearest("", kRunValues), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'a'), kRunValues), "");
}

}  // namespace
}  // namespace backplane::netalertx
