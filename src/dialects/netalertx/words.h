// The words that manifests are made of, and which of them was meant by one that is none.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"

namespace backplane::netalertx {

using Words = std::span<const std::string_view>;

inline constexpr auto kManifestKeys = std::to_array<std::string_view>({"code_name",
                                                                       "unique_prefix",
                                                                       "plugin_type",
                                                                       "execution_order",
                                                                       "enabled",
                                                                       "show_ui",
                                                                       "data_source",
                                                                       "localized",
                                                                       "mapped_to_table",
                                                                       "data_filters",
                                                                       "params",
                                                                       "display_name",
                                                                       "description",
                                                                       "icon",
                                                                       "settings",
                                                                       "database_column_definitions",
                                                                       "template_type",
                                                                       "required",
                                                                       "additionalProperties",
                                                                       "timeout"});
inline constexpr auto kSettingKeys = std::to_array<std::string_view>(
    {"function", "type", "default_value", "options", "options_params", "localized", "name", "events", "format",
     "description", "maxLength", "readonly", "override_value", "ignored"});
inline constexpr auto kTypeKeys = std::to_array<std::string_view>({"dataType", "elements"});
inline constexpr auto kElementKeys =
    std::to_array<std::string_view>({"elementType", "elementOptions", "transformers", "elementHasInputValue"});
inline constexpr auto kColumnKeys = std::to_array<std::string_view>(
    {"column", "mapped_to_column", "mapped_to_column_data", "css_classes", "show", "type", "default_value", "options",
     "options_params", "localized", "name", "description", "maxLength", "filter_info"});
inline constexpr auto kParamKeys =
    std::to_array<std::string_view>({"name", "type", "value", "base64", "timeoutMultiplier"});
inline constexpr auto kOptionParamKeys = std::to_array<std::string_view>({"name", "type", "value"});
inline constexpr auto kFilterKeys = std::to_array<std::string_view>(
    {"compare_column", "compare_operator", "compare_field_id", "compare_js_template", "compare_use_quotes"});

inline constexpr auto kPluginTypes =
    std::to_array<std::string_view>({"device_scanner", "other", "publisher", "system", "core"});
inline constexpr auto kDataSources =
    std::to_array<std::string_view>({"script", "template", "app-db-query", "sqlite-db-query"});
inline constexpr auto kDataTypes =
    std::to_array<std::string_view>({"string", "integer", "boolean", "array", "object", "none"});
inline constexpr auto kElementTypes =
    std::to_array<std::string_view>({"input", "select", "button", "span", "textarea", "datatable"});
inline constexpr auto kElementOptions = std::to_array<std::string_view>(
    {"type",         "multiple",       "orderable",    "editable",   "readonly", "placeholder", "suffix",
     "prefillValue", "sourceSuffixes", "separator",    "cssClasses", "onClick",  "onChange",    "focusout",
     "base64Regex",  "getStringKey",   "customParams", "customId",   "columns",  "popupForm",   "transformers"});
/// Of these element options "true" and "false".
inline constexpr auto kSwitches = std::to_array<std::string_view>({"multiple", "orderable", "editable", "readonly"});
inline constexpr auto kInputTypes = std::to_array<std::string_view>({"number", "checkbox", "password", "text"});
inline constexpr auto kTransformers = std::to_array<std::string_view>(
    {"base64", "prefix|base64", "name|base64", "sha256", "getString", "deviceChip", "deviceRelType"});
inline constexpr auto kEvents = std::to_array<std::string_view>(
    {"run", "test", "add_option", "select_icon", "copy_icons", "add_icon", "go_to_node", "go_to_device"});
inline constexpr auto kParamTypes = std::to_array<std::string_view>({"setting", "sql"});
inline constexpr auto kRunValues =
    std::to_array<std::string_view>({"disabled", "once", "schedule", "always_after_scan", "before_name_updates",
                                     "on_new_device", "on_notification", "before_config_save", "unused"});
inline constexpr auto kFunctions = std::to_array<std::string_view>(
    {"RUN", "CMD", "RUN_TIMEOUT", "RUN_SCHD", "SET_ALWAYS", "SET_EMPTY", "WATCH", "REPORT_ON", "DB_PATH"});
inline constexpr auto kStatuses =
    std::to_array<std::string_view>({"new", "watched-changed", "watched-not-changed", "missing-in-last-scan"});
inline constexpr auto kDeviceColumns = std::to_array<std::string_view>(
    {"devMac", "devLastIP", "devName", "devVendor", "devType", "devParentMAC", "devParentPort", "devParentRelType",
     "devSSID", "devSite", "devVlan", "devSyncHubNode", "devSourcePlugin", "devFQDN"});
inline constexpr auto kColumnNames = std::to_array<std::string_view>(
    {"index",           "plugin",        "objectPrimaryId", "objectSecondaryId", "dateTimeCreated",
     "dateTimeChanged", "watchedValue1", "watchedValue2",   "watchedValue3",     "watchedValue4",
     "status",          "extra",         "userData",        "foreignKey",        "syncHubNodeName",
     "helpVal1",        "helpVal2",      "helpVal3",        "helpVal4",          "objectGuid"});
inline constexpr auto kScanColumns = std::to_array<std::string_view>(
    {"scanMac", "scanLastIP", "scanVendor", "scanSourcePlugin", "scanName", "scanLastQuery", "scanLastConnection",
     "scanSyncHubNode", "scanSite", "scanSSID", "scanVlan", "scanParentMAC", "scanParentPort", "scanFQDN", "scanType"});
inline constexpr auto kOperators = std::to_array<std::string_view>({"==", "!=", "===", "!==", "<", "<=", ">", ">="});

bool OneOf(Words words, std::string_view word);

/// Whether a value is one of the texts that say that nothing is known.
bool SaysNothing(std::string_view value);

/// "; did you mean X?", or nothing.
std::string DidYouMean(std::string_view word, Words words);

}  // namespace backplane::netalertx
