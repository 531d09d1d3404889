"""The command line's lists and details, as the plugin reads them."""
import sys

SWITCH, POINT, ROUTER = "02-00-00-50-00-01", "02-00-00-50-00-02", "02-00-00-50-00-FE"

SAYS = {
    "target": "",
    "devices": f"{SWITCH}    192.0.2.51  switch CONNECTED        cellar               TL-SG2210P v5.0\n"
               f"{POINT}    192.0.2.52      ap CONNECTED        landing              EAP650(EU) v1.0\n",
    "clients": f"{ROUTER} 192.0.2.1       router               cellar (1)\n"
               "02-00-00-50-00-03 192.0.2.53      tablet               trial-wifi (landing)\n"
               "02-00-00-50-00-04 192.0.2.54      scanner              cellar (4)\n",
    "switch": f"Name: cellar\nAddress: {SWITCH} (192.0.2.51)\nPorts: 8\nDownlink devices:\n- {POINT} landing\n",
    "access-point": f"Name: landing\nAddress: {POINT} (192.0.2.52)\nUplink switch: {SWITCH} cellar\n",
}


def main(arguments=None):
    command = next(word for word in arguments or sys.argv[1:] if word in SAYS)
    print(SAYS[command], end="")
    return 0
