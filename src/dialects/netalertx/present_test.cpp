#include "dialects/netalertx/present.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/netalertx/columns.h"
#include "dialects/netalertx/read.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

using testing::ElementsAre;

Presentation Shown(const Json& document, std::string_view language = {}) {
  const auto read = ReadManifest(document.dump(), "config.json", "/plugins/case", {});
  if (!read.manifest) throw std::runtime_error(read.findings.empty() ? "" : read.findings[0].message);
  return PresentManifest(*read.manifest, language);
}

Json Text(const char* english, const char* german) {
  return {{{"language_code", "en_us"}, {"string", english}}, {{"language_code", "de_de"}, {"string", german}}};
}

// The schema of a setting of that type with those elements; `more` is merged into the setting.
Json Schema(const std::string& type, const char* elements, const Json& value, const Json& more = Json::object()) {
  Json document = TestManifest("CASE");
  AddSetting(document, "one", type, value);
  Json& setting = document["settings"].back();
  setting["type"]["elements"] = Json::parse(elements);
  setting.update(more);
  Json schema = Shown(document).settings.back().schema;
  for (const char* text : {"title", "description"}) schema.erase(text);
  return schema;
}

constexpr const char* kInput = R"j([{"elementType":"input","elementOptions":[],"transformers":[]}])j";
constexpr const char* kSelect = R"j([{"elementType":"select","elementOptions":[],"transformers":[]}])j";

TEST(Form, TextAndNumbers) {
  EXPECT_EQ(Schema("string", kInput, "a", {{"maxLength", 9}, {"format", "date-time"}}),
            Json::parse(R"j({"type":"string","maxLength":9,"format":"date-time","default":"a","x-element":"input"})j"));
  EXPECT_EQ(Schema("integer", R"j([{"elementType":"input","elementOptions":[{"type":"number"}]}])j", 5),
            Json::parse(R"j({"type":"integer","default":5,"x-element":"input"})j"));
  EXPECT_EQ(Schema("boolean", R"j([{"elementType":"input","elementOptions":[{"type":"checkbox"}]}])j", "True"),
            Json::parse(R"j({"type":"boolean","default":true,"x-element":"input"})j"));
  EXPECT_EQ(Schema("object", kInput, "{'a': 1}"),
            Json::parse(R"j({"type":"object","default":{"a":1},"x-element":"input"})j"));
  EXPECT_EQ(Schema("string", R"j([{"elementType":"textarea","elementOptions":[{"readonly":"true"}]}])j", ""),
            Json::parse(R"j({"type":"string","default":"","readOnly":true,"x-element":"textarea"})j"));
  EXPECT_EQ(
      Schema("none", R"j([{"elementType":"span","elementOptions":[{"onClick":"cloneDataTableRow(this)"}]}])j", ""),
      Json::parse(R"j({"default":"","readOnly":true,"x-element":"span","x-buttons":["clone_row"]})j"));
}

TEST(Form, ChoicesAreAnEnumOrAProposal) {
  EXPECT_EQ(Schema("string", kSelect, "a", {{"options", {"a", "b"}}})["enum"], Json::parse(R"j(["a","b"])j"));
  EXPECT_EQ(Schema("integer", kSelect, 1, {{"options", {"1", 2}}})["enum"], Json::parse("[1,2]"));
  const Json open = Schema("string", R"j([{"elementType":"select","elementOptions":[{"editable":"true"}]}])j", "c",
                           {{"options", {"a"}}});
  EXPECT_FALSE(open.contains("enum"));
  EXPECT_EQ(open["examples"], Json::parse(R"j(["a"])j"));
}

TEST(Form, ChoicesMayComeFromElsewhere) {
  const Json from = Json::parse(R"j([{"name":"value","type":"setting","value":"LOADED_PLUGINS"}])j");
  EXPECT_EQ(Schema("array", kSelect, Json::array(), {{"options", {"{value}"}}, {"options_params", from}})["items"],
            Json::parse(R"j({"type":"string","x-choices-from":{"setting":"LOADED_PLUGINS"}})j"));
  const Json query = Json::parse(
      R"j([{"name":"value","type":"sql","value":"SELECT 1"},{"name":"lang","type":"setting","value":"UI_LANG"}])j");
  EXPECT_EQ(Schema("string", kSelect, "", {{"options", {"{value}"}}, {"options_params", query}})["x-choices-from"],
            Json::parse(R"j({"sql":"SELECT 1","with":{"lang":{"setting":"UI_LANG"}}})j"));
}

TEST(Form, ListsSayWhatCanBeDoneToThem) {
  EXPECT_EQ(Schema("array", R"j([{"elementType":"select","elementOptions":[{"multiple":"true","orderable":"true"}]}])j",
                   Json::array({"b"}), {{"options", {"a", "b"}}}),
            Json::parse(R"j({"type":"array","uniqueItems":true,"items":{"type":"string","enum":["a","b"]},
                            "x-ordered":true,"default":["b"],"x-element":"select"})j"));
  EXPECT_EQ(Schema("array", R"j([{"elementType":"select","elementOptions":[{"multiple":"false"}]}])j", Json::array(),
                   {{"options", {"a"}}})["maxItems"],
            1);
  EXPECT_EQ(Schema("array", R"j([{"elementType":"input","elementOptions":[{"placeholder":"value"},{"suffix":"_in"}]},
      {"elementType":"button","elementOptions":[{"onClick":"addList(this, false)"}]},
      {"elementType":"select","elementHasInputValue":1,
       "elementOptions":[{"multiple":"true","readonly":"true","editable":"true"}],"transformers":["base64"]},
      {"elementType":"button","elementOptions":[{"onClick":"removeFromList(this)"}]}])j",
                   Json::array({"YQ=="}), {{"events", {"select_icon"}}}),
            Json::parse(R"j({"type":"array","items":{"type":"string"},"x-editable":true,"default":["a"],
                            "x-element":"select","x-placeholder":"value","x-buttons":["add","remove_last"],
                            "x-actions":["select_icon"],"x-transformers":["base64"]})j"));
}

TEST(Form, AButtonAtTheEndHoldsNoValue) {
  EXPECT_EQ(Schema("array", R"j([{"elementType":"select","elementOptions":[{"multiple":"true"}]},
                                {"elementType":"button","elementOptions":[{"onClick":"selectAll(this)"}]}])j",
                   Json::array(), {{"options", {"a"}}}),
            Json::parse(R"j({"type":"array","uniqueItems":true,"items":{"type":"string","enum":["a"]},"default":[],
                            "x-element":"select","x-buttons":["select_all"]})j"));
}

TEST(Form, PatternsAreDecoded) {
  EXPECT_EQ(Schema("string", R"j([{"elementType":"span","elementOptions":[]},
                                 {"elementType":"input","elementOptions":[{"base64Regex":"XlthLXpdKyQ="}]}])j",
                   "a")["pattern"],
            "^[a-z]+$");
}

TEST(Form, OfASecretThereIsNoDefault) {
  const Json schema =
      Schema("string", R"j([{"elementType":"input","elementOptions":[{"type":"password"}]}])j", "hunter2");
  EXPECT_EQ(schema, Json::parse(R"j({"type":"string","writeOnly":true,"x-element":"input"})j"));
}

TEST(Form, PopUpFormsAreSchemasInTheSchema) {
  Json document = TestManifest("CASE");
  AddSetting(document, "imports", "array", Json::array());
  Json entry = document["settings"][3];
  entry["function"] = "CASE_port";
  entry["name"] = Text("Port", "Anschluss");
  document["settings"].back()["type"]["elements"][0]["elementOptions"] =
      Json::array({{{"popupForm", Json::array({entry})}}});
  const Json items = Shown(document, "de_de").settings.back().schema["items"];
  EXPECT_EQ(items["contentEncoding"], "base64");
  EXPECT_EQ(items["x-form"]["group"], "CASE_imports_popupform");
  EXPECT_EQ(items["x-form"]["properties"]["CASE_port"]["title"], "Anschluss");
  EXPECT_EQ(items["x-form"]["properties"]["CASE_port"]["type"], "integer");
}

TEST(Form, DatatablesKeepTheirColumns) {
  EXPECT_EQ(
      Schema("string", R"j([{"elementType":"datatable","elementOptions":[{"columns":[{"settingKey":"X_icon"}]}]}])j",
             "")["x-columns"],
      Json::parse(R"j([{"settingKey":"X_icon"}])j"));
}

TEST(Present, TextsComeInTheLanguageThatIsAskedFor) {
  Json document = TestManifest("CASE");
  document["display_name"] = Text("Case", "Fall");
  document["display_name"].push_back({{"language_code", "pt_br"}, {"string", "Caso"}});
  document["settings"][0]["name"] = Text("When to run", "Wann");
  EXPECT_EQ(Shown(document).title, "Case");
  EXPECT_EQ(Shown(document, "de_de").title, "Fall");
  EXPECT_EQ(Shown(document, "de-AT").title, "Fall");
  EXPECT_EQ(Shown(document, "pt").title, "Caso");
  EXPECT_EQ(Shown(document, "ja_jp").title, "Case");
  EXPECT_EQ(Shown(document, "de_de").settings[0].title, "Wann");
  EXPECT_EQ(Shown(document, "de_de").settings[0].schema["title"], "Wann");
  EXPECT_THAT(Shown(document).languages, ElementsAre("en_us", "de_de", "pt_br"));
}

TEST(Present, WithoutEnglishTheFirstLanguageCounts) {
  Json document = TestManifest("CASE");
  document["display_name"] = Json::parse(R"j([{"language_code":"de_de","string":"Fall"},
                                             {"language_code":"fr_fr","string":"Cas"}])j");
  EXPECT_EQ(Shown(document, "es_es").title, "Fall");
}

TEST(Present, TextsThatLieElsewhereBecomeTheName) {
  Json document = TestManifest("CASE");
  document["settings"][0]["localized"] = Json::array();
  document["settings"][0]["name"] = Json::parse(R"j([{"string":"_GLOBAL_LANG_FILES_"}])j");
  EXPECT_EQ(Shown(document).settings[0].title, "RUN");
}

TEST(Present, IconsMayBeBase64) {
  Json document = TestManifest("CASE");
  for (const char* icon : {"<i></i>", "PGk+PC9pPg=="}) {
    document["icon"][0]["string"] = icon;
    EXPECT_EQ(Shown(document).icon, "<i></i>");
  }
}

std::vector<std::string> Kinds(std::string_view type) {
  std::vector<std::string> out;
  for (const Display& display : Displays(type, Json::array())) out.push_back(display.kind);
  return out;
}

TEST(Columns, EveryDisplayTypeHasAKind) {
  for (const std::string_view type : DisplayTypes()) EXPECT_EQ(Kinds(type).size(), 1U) << type;
  EXPECT_THAT(Kinds("regex.url_http_https"), ElementsAre("match", "web_links"));
  EXPECT_THAT(Kinds("nonsense"), ElementsAre());
}

TEST(Columns, OptionsGoToTheKindThatKnowsThem) {
  const Json options = Json::parse(R"j([{"maximum":5,"hexColor":"#111"},{"equals":"new","replacement":"<b>"},
      {"type":"regex","param":"a+"},{"type":"eval","param":"value * 2"}])j");
  EXPECT_EQ(Displays("threshold", options)[0].options, Json::parse(R"j([{"below":5,"colour":"#111"}])j"));
  EXPECT_EQ(Displays("replace", options)[0].options, Json::parse(R"j([{"equals":"new","html":"<b>"}])j"));
  EXPECT_EQ(Displays("regex", options)[0].options, Json::parse(R"j({"pattern":"a+"})j"));
  EXPECT_EQ(Displays("eval", options)[0].options, Json::parse(R"j({"source":"value * 2","executed":false})j"));
  EXPECT_EQ(Displays("label", options)[0].options, nullptr);
}

TEST(Columns, AreShownAsTheirAuthorSays) {
  Json document = TestManifest("CASE");
  document["database_column_definitions"] = Json::parse(R"j([
    {"column":"Object_PrimaryID","css_classes":"col-sm-3","show":true,"type":"device_mac","default_value":"-",
     "options":[],"localized":["name"],"name":[{"language_code":"en_us","string":"MAC"}]},
    {"column":"Dummy","mapped_to_column_data":{"value":"CASE"},"show":false,"type":{},"localized":[]}])j");
  const Presentation shown = Shown(document);
  EXPECT_EQ(ToJson(shown.columns.at(0)), Json::parse(R"j({"field":"primary","title":"MAC","shown":true,
      "css":"col-sm-3","default":"-","display":[{"kind":"device"}]})j"));
  EXPECT_EQ(ToJson(shown.columns.at(1)), Json::parse(R"j({"field":null,"title":"Dummy","shown":false,"css":"",
      "default":"","display":[{"kind":"text"}],"value":"CASE"})j"));
}

TEST(Columns, RowFiltersAreComparisonsWithTheDevice) {
  Json document = TestManifest("CASE");
  const Json filter = Json::parse(R"j({"compare_column":"watchedValue4","compare_operator":"==",
      "compare_field_id":"txtMacFilter","compare_js_template":"'{value}'.toString()","compare_use_quotes":true})j");
  document["data_filters"] = Json::array({filter, filter, filter});
  document["data_filters"][1]["compare_field_id"] = "txtElse";
  document["data_filters"][2]["compare_operator"] = "resembles";
  const auto filters = Shown(document).filters;
  ASSERT_EQ(filters.size(), 1U);
  EXPECT_EQ(ToJson(filters[0]), Json::parse(R"j({"field":"watched4","compare":"==","with":"mac"})j"));
}

}  // namespace
}  // namespace backplane::netalertx
