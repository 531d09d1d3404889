#include "dialects/netalertx/app_db_schema.h"

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/app_db_inbox.h"

namespace backplane::netalertx {
namespace {

// Names, constraints and defaults are the original's. What it declares as STRING, and SQLite therefore takes for
// numeric, is TEXT: a device may be called 007.
constexpr std::string_view kDevices = R"(
CREATE TABLE IF NOT EXISTS Devices (
  devMac TEXT PRIMARY KEY NOT NULL COLLATE NOCASE,
  devName TEXT NOT NULL DEFAULT '(unknown)',
  devOwner TEXT NOT NULL DEFAULT '(unknown)',
  devType TEXT,
  devVendor TEXT,
  devFavorite BOOLEAN NOT NULL DEFAULT 0 CHECK (devFavorite IN (0, 1)),
  devGroup TEXT,
  devComments TEXT,
  devFirstConnection DATETIME NOT NULL,
  devLastConnection DATETIME NOT NULL,
  devLastIP TEXT NOT NULL COLLATE NOCASE,
  devPrimaryIPv4 TEXT,
  devPrimaryIPv6 TEXT,
  devVlan TEXT,
  devForceStatus TEXT,
  devStaticIP BOOLEAN NOT NULL DEFAULT 0 CHECK (devStaticIP IN (0, 1)),
  devScan INTEGER NOT NULL DEFAULT 1,
  devLogEvents BOOLEAN NOT NULL DEFAULT 1 CHECK (devLogEvents IN (0, 1)),
  devAlertEvents BOOLEAN NOT NULL DEFAULT 1 CHECK (devAlertEvents IN (0, 1)),
  devAlertDown BOOLEAN NOT NULL DEFAULT 0 CHECK (devAlertDown IN (0, 1)),
  devSkipRepeated INTEGER NOT NULL DEFAULT 0,
  devLastNotification DATETIME,
  devPresentLastScan BOOLEAN NOT NULL DEFAULT 0 CHECK (devPresentLastScan IN (0, 1)),
  devIsNew BOOLEAN NOT NULL DEFAULT 1 CHECK (devIsNew IN (0, 1)),
  devLocation TEXT COLLATE NOCASE,
  devIsArchived BOOLEAN NOT NULL DEFAULT 0 CHECK (devIsArchived IN (0, 1)),
  devParentMAC TEXT,
  devParentPort TEXT,
  devParentRelType TEXT,
  devIcon TEXT,
  devGUID TEXT,
  devSite TEXT,
  devSSID TEXT,
  devSyncHubNode TEXT,
  devSourcePlugin TEXT,
  devFQDN TEXT,
  devMacSource TEXT,
  devNameSource TEXT,
  devFQDNSource TEXT,
  devLastIPSource TEXT,
  devVendorSource TEXT,
  devSSIDSource TEXT,
  devParentMACSource TEXT,
  devParentPortSource TEXT,
  devParentRelTypeSource TEXT,
  devVlanSource TEXT,
  devCustomProps TEXT,
  devReqNicsOnline INTEGER,
  devCanSleep INTEGER
);
CREATE TABLE IF NOT EXISTS CurrentScan (
  scanMac TEXT NOT NULL COLLATE NOCASE,
  scanLastIP TEXT NOT NULL COLLATE NOCASE,
  scanVendor TEXT,
  scanSourcePlugin TEXT,
  scanName TEXT,
  scanLastQuery TEXT,
  scanLastConnection TEXT,
  scanSyncHubNode TEXT,
  scanSite TEXT,
  scanSSID TEXT,
  scanVlan TEXT,
  scanParentMAC TEXT,
  scanParentPort TEXT,
  scanFQDN TEXT,
  scanType TEXT
);
CREATE TABLE IF NOT EXISTS Events (
  eveMac TEXT NOT NULL COLLATE NOCASE,
  eveIp TEXT NOT NULL COLLATE NOCASE,
  eveDateTime DATETIME NOT NULL,
  eveEventType TEXT NOT NULL COLLATE NOCASE,
  eveAdditionalInfo TEXT DEFAULT '',
  evePendingAlertEmail BOOLEAN NOT NULL DEFAULT 1 CHECK (evePendingAlertEmail IN (0, 1)),
  evePairEventRowid INTEGER
);
CREATE TABLE IF NOT EXISTS Sessions (
  sesMac TEXT COLLATE NOCASE,
  sesIp TEXT COLLATE NOCASE,
  sesEventTypeConnection TEXT COLLATE NOCASE,
  sesDateTimeConnection DATETIME,
  sesEventTypeDisconnection TEXT COLLATE NOCASE,
  sesDateTimeDisconnection DATETIME,
  sesStillConnected BOOLEAN,
  sesAdditionalInfo TEXT
);
CREATE TABLE IF NOT EXISTS Online_History (
  "index" INTEGER PRIMARY KEY AUTOINCREMENT,
  scanDate TEXT,
  onlineDevices INTEGER,
  downDevices INTEGER,
  allDevices INTEGER,
  archivedDevices INTEGER,
  offlineDevices INTEGER
);
CREATE TABLE IF NOT EXISTS DevicesHistory (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  devGUID TEXT NOT NULL,
  timestamp DATETIME DEFAULT CURRENT_TIMESTAMP,
  changedBy TEXT NOT NULL,
  changedColumn TEXT NOT NULL,
  oldValue TEXT,
  newValue TEXT
);
)";

constexpr std::string_view kOtherTables = R"(
CREATE TABLE IF NOT EXISTS AppEvents (
  "index" INTEGER PRIMARY KEY AUTOINCREMENT,
  guid TEXT UNIQUE,
  appEventProcessed BOOLEAN,
  dateTimeCreated TEXT,
  objectType TEXT,
  objectGuid TEXT,
  objectPlugin TEXT,
  objectPrimaryId TEXT,
  objectSecondaryId TEXT,
  objectForeignKey TEXT,
  objectIndex TEXT,
  objectIsNew BOOLEAN,
  objectIsArchived BOOLEAN,
  objectStatusColumn TEXT,
  objectStatus TEXT,
  appEventType TEXT,
  helper1 TEXT,
  helper2 TEXT,
  helper3 TEXT,
  extra TEXT
);
CREATE TABLE IF NOT EXISTS Notifications (
  "index" INTEGER PRIMARY KEY AUTOINCREMENT,
  guid TEXT UNIQUE,
  dateTimeCreated TEXT,
  dateTimePushed TEXT,
  "status" TEXT,
  "json" TEXT,
  "text" TEXT,
  html TEXT,
  publishedVia TEXT,
  extra TEXT
);
CREATE TABLE IF NOT EXISTS Parameters (
  parID TEXT PRIMARY KEY,
  parValue TEXT
);
CREATE TABLE IF NOT EXISTS Settings (
  setKey TEXT,
  setName TEXT,
  setDescription TEXT,
  setType TEXT,
  setOptions TEXT,
  setGroup TEXT,
  setValue TEXT,
  setEvents TEXT,
  setOverriddenByEnv INTEGER
);
CREATE TABLE IF NOT EXISTS Plugins_Language_Strings (
  "index" INTEGER PRIMARY KEY AUTOINCREMENT,
  languageCode TEXT NOT NULL,
  stringKey TEXT NOT NULL,
  stringValue TEXT NOT NULL,
  extra TEXT NOT NULL
);
)";

// Three tables of one shape, for objects, events and history.
constexpr std::string_view kPluginTable = R"(
CREATE TABLE IF NOT EXISTS Plugins_{name} (
  "index" INTEGER PRIMARY KEY AUTOINCREMENT,
  plugin TEXT NOT NULL,
  objectPrimaryId TEXT NOT NULL,
  objectSecondaryId TEXT NOT NULL,
  dateTimeCreated TEXT NOT NULL,
  dateTimeChanged TEXT NOT NULL,
  watchedValue1 TEXT NOT NULL,
  watchedValue2 TEXT NOT NULL,
  watchedValue3 TEXT NOT NULL,
  watchedValue4 TEXT NOT NULL,
  "status" TEXT NOT NULL,
  extra TEXT NOT NULL,
  userData TEXT NOT NULL,
  foreignKey TEXT NOT NULL,
  syncHubNodeName TEXT,
  helpVal1 TEXT,
  helpVal2 TEXT,
  helpVal3 TEXT,
  helpVal4 TEXT,
  objectGuid TEXT
);
)";

// Of the original's indexes those that differ, and one by devGUID, by which we find our rows.
constexpr std::string_view kIndexes = R"(
CREATE INDEX IF NOT EXISTS idx_dev_guid ON Devices (devGUID);
CREATE INDEX IF NOT EXISTS idx_dev_present ON Devices (devPresentLastScan);
CREATE INDEX IF NOT EXISTS idx_dev_alertdown ON Devices (devAlertDown);
CREATE INDEX IF NOT EXISTS idx_dev_isnew ON Devices (devIsNew);
CREATE INDEX IF NOT EXISTS idx_dev_isarchived ON Devices (devIsArchived);
CREATE INDEX IF NOT EXISTS idx_dev_favorite ON Devices (devFavorite);
CREATE INDEX IF NOT EXISTS idx_dev_lower_mac ON Devices (LOWER(devMac));
CREATE INDEX IF NOT EXISTS idx_dev_lower_parentmac ON Devices (LOWER(devParentMAC));
CREATE INDEX IF NOT EXISTS IDX_dev_LastIP ON Devices (devLastIP);
CREATE INDEX IF NOT EXISTS IDX_dev_FirstConnection ON Devices (devFirstConnection);
CREATE UNIQUE INDEX IF NOT EXISTS idx_events_unique ON Events (eveMac, eveIp, eveEventType, eveDateTime);
CREATE INDEX IF NOT EXISTS idx_eve_mac_datetime_desc ON Events (eveMac, eveDateTime DESC);
CREATE INDEX IF NOT EXISTS idx_eve_lower_mac_date_type ON Events (LOWER(eveMac), eveDateTime, eveEventType);
CREATE INDEX IF NOT EXISTS idx_eve_type_date ON Events (eveEventType, eveDateTime);
CREATE INDEX IF NOT EXISTS idx_eve_alert_pending ON Events (evePendingAlertEmail);
CREATE INDEX IF NOT EXISTS idx_eve_pairevent ON Events (evePairEventRowid);
CREATE INDEX IF NOT EXISTS IDX_eve_DateTime ON Events (eveDateTime);
CREATE INDEX IF NOT EXISTS idx_ses_mac_date ON Sessions
  (sesMac, sesDateTimeConnection, sesDateTimeDisconnection, sesStillConnected);
CREATE INDEX IF NOT EXISTS idx_ses_lower_mac_date ON Sessions
  (LOWER(sesMac), sesDateTimeConnection, sesDateTimeDisconnection, sesStillConnected);
CREATE INDEX IF NOT EXISTS IDX_ses_DateTimeConnection ON Sessions (sesDateTimeConnection);
CREATE INDEX IF NOT EXISTS idx_devhist_guid_column ON DevicesHistory (devGUID, changedColumn);
CREATE INDEX IF NOT EXISTS idx_devhist_timestamp ON DevicesHistory (timestamp);
CREATE INDEX IF NOT EXISTS idx_set_key ON Settings (setKey);
CREATE INDEX IF NOT EXISTS idx_plugins_plugin_mac_ip ON Plugins_Objects (plugin, objectPrimaryId, objectSecondaryId);
CREATE INDEX IF NOT EXISTS idx_plugins_history_plugin_dt ON Plugins_History (plugin, dateTimeChanged DESC);
)";

// How far our own rows follow the store (app_db_mirror.cpp), and what others have written (app_db_inbox.cpp).
constexpr std::string_view kOwn = R"(
DROP TABLE IF EXISTS Backplane_Mirror;
CREATE TABLE IF NOT EXISTS Backplane_Marks (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS Backplane_Inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  guid TEXT,
  row TEXT,
  field TEXT,
  old TEXT,
  new TEXT
);
INSERT OR IGNORE INTO Backplane_Marks VALUES ('file', random());
)";

constexpr std::string_view kViews = R"(
DROP VIEW IF EXISTS Events_Devices;
CREATE VIEW Events_Devices AS SELECT * FROM Events LEFT JOIN Devices ON devMac = eveMac;
DROP VIEW IF EXISTS Sessions_Devices;
CREATE VIEW Sessions_Devices AS SELECT * FROM Sessions LEFT JOIN Devices ON devMac = sesMac;
DROP VIEW IF EXISTS LatestEventsPerMAC;
CREATE VIEW LatestEventsPerMAC AS
  WITH numbered AS (
    SELECT Events.*, ROW_NUMBER() OVER (PARTITION BY eveMac ORDER BY eveDateTime DESC) AS row_num FROM Events
  )
  SELECT numbered.*, Devices.*, CurrentScan.*
  FROM numbered
  JOIN CurrentScan ON scanMac = eveMac
  LEFT JOIN Devices ON devMac = eveMac
  WHERE row_num = 1;
DROP VIEW IF EXISTS LatestDeviceScan;
CREATE VIEW LatestDeviceScan AS
  SELECT Devices.*, latest.*
  FROM Devices
  JOIN (
    SELECT CurrentScan.*,
      ROW_NUMBER() OVER (PARTITION BY scanMac, scanSourcePlugin ORDER BY scanLastConnection DESC) AS rn
    FROM CurrentScan
  ) AS latest ON latest.scanMac = devMac
  WHERE latest.rn = 1;
DROP VIEW IF EXISTS Convert_Events_to_Sessions;
CREATE VIEW Convert_Events_to_Sessions AS
  SELECT
    came.eveMac,
    came.eveIp,
    came.eveEventType AS eveEventTypeConnection,
    came.eveDateTime AS eveDateTimeConnection,
    CASE
      WHEN went.eveEventType IS NULL THEN NULL
      WHEN went.eveEventType IN ('Disconnected', 'Device Down') THEN went.eveEventType
      ELSE '<missing event>'
    END AS eveEventTypeDisconnection,
    CASE WHEN went.eveEventType IN ('Disconnected', 'Device Down') THEN went.eveDateTime END AS eveDateTimeDisconnection,
    went.eveEventType IS NULL AS eveStillConnected,
    came.eveAdditionalInfo
  FROM Events AS came
  LEFT JOIN Events AS went ON went.rowid = came.evePairEventRowid
  WHERE came.eveEventType IN ('New Device', 'Connected', 'Down Reconnected')
  UNION
  SELECT eveMac, eveIp, '<missing event>', NULL, eveEventType, eveDateTime, 0, eveAdditionalInfo
  FROM Events
  WHERE eveEventType IN ('Device Down', 'Disconnected') AND evePairEventRowid IS NULL;
)";

// No column is NULL, addresses are in lower case, and three columns are worked out.
constexpr std::string_view kDevicesView = R"(
DROP VIEW IF EXISTS DevicesView;
CREATE VIEW DevicesView AS
  WITH filled AS (
    SELECT
    rowid,
    LOWER(COALESCE(devMac, '')) AS devMac,
    COALESCE(devName, '') AS devName,
    COALESCE(devOwner, '') AS devOwner,
    COALESCE(devType, '') AS devType,
    COALESCE(devVendor, '') AS devVendor,
    COALESCE(devFavorite, '') AS devFavorite,
    COALESCE(devGroup, '') AS devGroup,
    COALESCE(devComments, '') AS devComments,
    COALESCE(devFirstConnection, '') AS devFirstConnection,
    COALESCE(devLastConnection, '') AS devLastConnection,
    COALESCE(devLastIP, '') AS devLastIP,
    COALESCE(devPrimaryIPv4, '') AS devPrimaryIPv4,
    COALESCE(devPrimaryIPv6, '') AS devPrimaryIPv6,
    COALESCE(devVlan, '') AS devVlan,
    COALESCE(devForceStatus, '') AS devForceStatus,
    COALESCE(devStaticIP, '') AS devStaticIP,
    COALESCE(devScan, '') AS devScan,
    COALESCE(devLogEvents, '') AS devLogEvents,
    COALESCE(devAlertEvents, '') AS devAlertEvents,
    COALESCE(devAlertDown, 0) AS devAlertDown,
    COALESCE(devSkipRepeated, '') AS devSkipRepeated,
    COALESCE(devLastNotification, '') AS devLastNotification,
    COALESCE(devPresentLastScan, 0) AS devPresentLastScan,
    COALESCE(devIsNew, '') AS devIsNew,
    COALESCE(devLocation, '') AS devLocation,
    COALESCE(devIsArchived, '') AS devIsArchived,
    LOWER(COALESCE(devParentMAC, '')) AS devParentMAC,
    COALESCE(devParentPort, '') AS devParentPort,
    COALESCE(devParentRelType, '') AS devParentRelType,
    COALESCE(devIcon, '') AS devIcon,
    COALESCE(devGUID, '') AS devGUID,
    COALESCE(devSite, '') AS devSite,
    COALESCE(devSSID, '') AS devSSID,
    COALESCE(devSyncHubNode, '') AS devSyncHubNode,
    COALESCE(devSourcePlugin, '') AS devSourcePlugin,
    COALESCE(devFQDN, '') AS devFQDN,
    COALESCE(devMacSource, '') AS devMacSource,
    COALESCE(devNameSource, '') AS devNameSource,
    COALESCE(devFQDNSource, '') AS devFQDNSource,
    COALESCE(devLastIPSource, '') AS devLastIPSource,
    COALESCE(devVendorSource, '') AS devVendorSource,
    COALESCE(devSSIDSource, '') AS devSSIDSource,
    COALESCE(devParentMACSource, '') AS devParentMACSource,
    COALESCE(devParentPortSource, '') AS devParentPortSource,
    COALESCE(devParentRelTypeSource, '') AS devParentRelTypeSource,
    COALESCE(devVlanSource, '') AS devVlanSource,
    COALESCE(devCustomProps, '') AS devCustomProps,
    COALESCE(devReqNicsOnline, '') AS devReqNicsOnline,
    COALESCE(devCanSleep, 0) AS devCanSleep
    FROM Devices
  ), judged AS (
    SELECT
      filled.*,
      devCanSleep = 1 AND devPresentLastScan = 0 AND
        devLastConnection >= datetime('now', '-{minutes} minutes') AS devIsSleeping,
      (SELECT COUNT(*) FROM Events
       WHERE LOWER(eveMac) = devMac AND eveDateTime >= datetime('now', '-1 hours') AND
         eveEventType IN ('Connected', 'Disconnected', 'Device Down', 'Down Reconnected')) >= 3 AS devFlapping
    FROM filled
  )
  SELECT
    judged.*,
    CASE
      WHEN devIsNew = 1 THEN 'New'
      WHEN devPresentLastScan = 1 THEN 'On-line'
      WHEN devIsSleeping = 1 THEN 'Sleeping'
      WHEN devAlertDown <> 0 THEN 'Down'
      WHEN devIsArchived = 1 THEN 'Archived'
      ELSE 'Off-line'
    END AS devStatus
  FROM judged;
)";

}  // namespace

std::string_view AppDbSchema() {
  static const std::string schema = [] {
    std::string out = fmt::format("{}{}", kDevices, kOtherTables);
    for (const char* name : {"Objects", "Events", "History"}) out += ReplaceAll(kPluginTable, "{name}", name);
    return fmt::format("{}{}{}{}", out, kIndexes, kOwn, InboxTriggers());
  }();
  return schema;
}

std::string AppDbViews(int sleep_minutes) {
  return fmt::format("{}{}", kViews, ReplaceAll(kDevicesView, "{minutes}", std::to_string(sleep_minutes)));
}

}  // namespace backplane::netalertx
