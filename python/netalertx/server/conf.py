"""State that scripts share with our modules; every script assigns `tz`."""

tz = ""
LOG_LEVEL = "verbose"
TIMEZONE = "Europe/Berlin"
mySettings = []
mySchedules = []
