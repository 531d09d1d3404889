"""Names and folders that scripts import."""

import os

import config_paths

applicationPath = config_paths.APP_PATH_STR
dataPath = config_paths.DATA_PATH_STR
configPath = config_paths.CONFIG_PATH_STR
dbFolderPath = config_paths.DB_PATH_STR
apiRoot = config_paths.API_PATH_STR
logRoot = config_paths.LOG_PATH_STR

confFileName = "app.conf"
dbFileName = "app.db"
defaultWebPort = 20211
default_tz = "Europe/Berlin"

confPath = os.path.join(configPath, confFileName)
dbPath = os.path.join(dbFolderPath, dbFileName)
fullConfFolder = configPath
fullConfPath = confPath
fullDbPath = dbPath

pluginsPath = config_paths.PLUGINS_PATH_STR
logPath = logRoot
apiPath = os.path.join(apiRoot, "")  # ends in a slash, unlike the others
reportTemplatesPath = os.path.join(str(config_paths.REPORT_TEMPLATES_PATH), "")

vendorsPath = os.environ.get("VENDORSPATH", "/usr/share/arp-scan/ieee-oui.txt")
vendorsPathNewest = os.environ.get("VENDORSPATH_NEWEST", "/usr/share/arp-scan/ieee-oui_all_filtered.txt")
NATIVE_SPEEDTEST_PATH = os.environ.get("NATIVE_SPEEDTEST_PATH", "/usr/bin/speedtest")

# Texts that stand for "nothing is known".
NULL_EQUIVALENTS = ["", "null", "(unknown)", "(Unknown)", "(name not found)"]
NULL_EQUIVALENTS_SQL = ",".join(f"'{text}'" for text in NULL_EQUIVALENTS)
