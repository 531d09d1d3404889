"""For each plugin of the original, by its prefix: the settings that lead it to the stand-ins, and what it must yield.

MAC addresses are 02:00:00:<the plugin's own>:..., IP addresses of 192.0.2.0/24, so that a row tells where it is from.
"""
import base64
import dataclasses
import json

# Hosts that the seeding scanner reports: (MAC, IP, name). Only loopback has a name without a network. The last one is
# gone when the scanner looks again.
SEEDS = [("02:00:00:01:00:01", "127.0.0.1", "(unknown)"), ("02:00:00:01:00:02", "127.0.0.2", "anchor"),
         ("02:00:00:01:00:03", "127.0.0.3", "sleeper")]
VENDOR = "Trial Seeds Ltd"


@dataclasses.dataclass(frozen=True)
class Expected:
    # rows; quiet: runs well and writes no result; nothing: has nothing to run; listed: whatever comes of it, since
    # what it is for takes others: a notification, a database that is full, another site. chain.py judges these
    kind: str
    rows: int = 0
    row: tuple = ()  # texts that one row holds together
    says: str = ""   # text of its output


def rows(count, *row):
    return Expected("rows", count, row)


def quiet(says):
    return Expected("quiet", says=says)


NOTHING, LISTED = Expected("nothing"), Expected("listed")

EXPECTED = {
    "ADGUARDEXP": rows(4, "adguard_export", "summary", "added="),
    "ADGUARDIMP": rows(2, "02:00:00:61:00:01", "192.0.2.61", "lamp", "DHCP"),
    "APPRISE": LISTED,
    "ARPSCAN": rows(2, "02:00:00:10:00:01", "192.0.2.11", "Trial Printers Inc."),
    "ASUSWRT": rows(1, "02:00:00:15:00:01", "192.0.2.161", "printer", "Trial Looms"),
    "AVAHISCAN": rows(1, "02:00:00:01:00:01", "127.0.0.1", "localhost"),
    "CSVBCKP": quiet("devices.csv"),
    "CUSTPROP": NOTHING,
    "DBCLNP": LISTED,
    "DDNS": quiet("good 203.0.113.7"),
    "DHCPLSS": rows(3, "02:00:00:18:00:01", "192.0.2.181", "isc-host", "active"),
    "DHCPSRVS": rows(1, "192.0.2.1", "trial.example", "192.0.2.99", "eth0"),
    "DIGSCAN": rows(1, "02:00:00:01:00:01", "127.0.0.1", "host-127-0-0-1.dig.example."),
    "FREEBOX": rows(2, "02:00:00:e1:00:02", "192.0.2.142", "player", "Trial Players", "SmartTV"),
    "FRITZBOX": rows(3, "02:00:00:f1:00:01", "192.0.2.151", "console", "Active", "WiFi"),
    "ICMP": rows(4, "02:00:00:01:00:02", "127.0.0.2", "anchor", "fping"),
    "INTRNT": rows(1, "internet", "203.0.113.7", "Gateway"),
    "INTRSPD": rows(1, "Speedtest", "100.0", "20.0"),
    "IPNEIGH": rows(2, "02:00:00:21:00:01", "192.0.2.21"),
    "KEALSS": rows(2, "02:00:00:71:00:01", "192.0.2.71", "kettle.trial.example"),
    "LUCIRPC": rows(1, "02:00:00:81:00:01", "192.0.2.81", "fridge"),
    "MAINT": LISTED,
    "MQTT": LISTED,
    "MTSCAN": rows(1, "02:00:00:17:00:01", "192.0.2.171", "big lathe", "lathe"),
    "NBTSCAN": rows(1, "02:00:00:01:00:01", "127.0.0.1", "TRIAL-PC"),
    "NEWDEV": NOTHING,
    "NMAP": rows(6, "02:00:00:01:00:02", "22/tcp", "open", "ssh", "127.0.0.2:22/tcp"),
    "NMAPDEV": rows(2, "02:00:00:41:00:01", "192.0.2.41", "camera.trial.example", "Trial Cameras"),
    "NSLOOKUP": rows(1, "02:00:00:01:00:01", "192.0.2.53", "host-127-0-0-1.nslookup.example."),
    "NTFPRCS": NOTHING,
    "NTFY": LISTED,
    "OMDSDN": rows(5, "02:00:00:50:00:04", "192.0.2.54", "scanner", "02:00:00:50:00:01"),
    "OMDSDNOPENAPI": rows(3, "02:00:00:b1:00:03", "192.0.2.113", "till", "02:00:00:b1:00:02", "Trial"),
    "PIHOLE": rows(1, "02:00:00:19:00:01", "192.0.2.191", "toaster", "Trial Toasters"),
    "PIHOLEAPI": rows(1, "02:00:00:91:00:01", "192.0.2.91", "radio", "Trial Radios"),
    "PUSHOVER": LISTED,
    "PUSHSAFER": LISTED,
    "RSTIMPRT": rows(1, "02:00:00:a1:00:01", "192.0.2.101", "press", "Trial Presses", "plant", "20"),
    "SETPWD": NOTHING,
    "SMTP": LISTED,
    "SNMPDSC": rows(3, "02:00:00:31:00:02", "192.0.2.32", "192.0.2.254"),
    "SYNC": LISTED,
    "TELEGRAM": LISTED,
    "TMP": rows(2, "00:11:22:33:44:55", "192.168.1.2"),
    "UI": NOTHING,
    "UNFIMP": rows(3, "02:00:00:d1:00:02", "192.0.2.132", "closet", "Switch", "02:00:00:d1:00:fe"),
    "UNIFIAPI": rows(3, "02:00:00:c1:00:02", "192.0.2.122", "roof", "AP", "02:00:00:c1:00:01"),
    "VNDRPDT": rows(3, "02:00:00:01:00:01", VENDOR),
    "WEBHOOK": LISTED,
    "WEBMON": rows(2, "http://127.0.0.1", "200"),
    "WOL": rows(1, "02:00:00:01:00:03", "127.0.0.3", "success"),
    "WORKFLOWS": NOTHING,
}


def form(prefix, group, **values):
    """An entry of a list that is filled in by a pop-up form."""
    kinds = {bool: "boolean", int: "integer", str: "string"}
    entries = [[f"{prefix}_{group}_popupform", f"{prefix}_{key}", kinds[type(value)], str(value)]
               for key, value in values.items()]
    return base64.b64encode(json.dumps(entries).encode()).decode()


def settings(place):
    """{prefix: {key: value}}; what stands under "" belongs to none."""
    web, tls = place.port("web"), place.port("tls")
    url = f"http://127.0.0.1:{web}"
    # `env` gives a script what an installation has in its environment.
    script = f"{place.python} /app/server/plugins"
    given = {
        "": {"SCAN_SUBNETS": ["192.0.2.0/29 --interface=lo"], "API_TOKEN": "t_trial",
             "TRIALSEED_CMD": f"python3 /app/server/plugins/trial_seed/script.py {place.files}/seeds.json"},
        "ADGUARDEXP": {"URL": url, "INCLUDE_NEW": "true"},
        "ADGUARDIMP": {"SERVER": "127.0.0.1", "PORT": web, "FAKE_MAC": True},
        "APPRISE": {"HOST": url + "/notify/apprise", "URL": "trial://"},
        "ASUSWRT": {"host": "127.0.0.1", "port": str(web), "password": "trial"},
        "CSVBCKP": {"location": str(place.files)},
        "DHCPLSS": {"paths_to_check": [str(place.files / name) for name in LEASES]},
        "FREEBOX": {"address": "127.0.0.1", "api_port": tls},
        "FRITZBOX": {"HOST": "127.0.0.1", "PORT": web, "USE_TLS": False, "REPORT_GUEST": True},
        "ICMP": {"FAKE_MAC": True},
        "INTRSPD": {"CMD": f"env NATIVE_SPEEDTEST_PATH={place.tools}/speedtest {script}/internet_speedtest/script.py"},
        "KEALSS": {"URL": url + "/kea"},
        "LUCIRPC": {"host": f"127.0.0.1:{web}"},
        "MTSCAN": {"MT_HOST": "127.0.0.1", "MT_PORT": place.port("routeros")},
        "NMAPDEV": {"FAKE_MAC": True},
        "NTFY": {"HOST": url + "/notify", "TOPIC": "ntfy"},
        "OMDSDN": {"url": "https://127.0.0.1", "sites": ["Default"], "username": "trial", "password": "trial"},
        "OMDSDNOPENAPI": {"host": url, "omada_id": "abc123", "client_id": "trial", "client_secret": "trial"},
        "PIHOLE": {"DB_PATH": str(place.files / "pihole-FTL.db")},
        "PIHOLEAPI": {"URL": url, "PASSWORD": "trial"},
        "RSTIMPRT": {"imports": [form(
            "RSTIMPRT", "imports", name="Trial", url=url + "/inventory.json", method="GET", device_path="result.hosts",
            scanMac="hw", scanLastIP="address", scanName="label", scanVendor="maker", scanSSID="net", scanType="kind",
            scanParentMAC="switch", scanParentPort="port", scanSite="site", scanVlan="vlan", fake_mac=False)]},
        "SMTP": {"SERVER": "127.0.0.1", "PORT": place.port("mail"), "SKIP_TLS": True, "SKIP_LOGIN": True},
        "SNMPDSC": {"routers": ["snmpwalk -v 2c -c public -OXsq 192.0.2.254 .1.3.6.1.2.1.3.1.1.2"]},
        "UNFIMP": {"host": "127.0.0.1", "port": str(tls), "version": "v5", "fullimport": "always",
                   "username": "trial", "password": "trial"},
        "UNIFIAPI": {"sites": [form("UNIFIAPI", "sites", site_name="Trial", base_url=url, api_version="v1",
                                    api_key="trial", verify_ssl=False)]},
        "VNDRPDT": {"CMD": f"env VENDORSPATH={place.files}/oui.txt {script}/vendor_update/script.py"},
        "WEBHOOK": {"URL": url + "/notify/webhook", "REQUEST_METHOD": "POST"},
        "WEBMON": {"urls_to_check": [url + "/", "http://127.0.0.1:1/"]},
        "WOL": {"broadcast_ips": ["127.0.0.1"], "devices_to_wake": "offline"},
    }
    return {prefix: {f"{prefix}_{key}" if prefix else key: value for key, value in values.items()}
            for prefix, values in given.items()}


LEASES = {
    "dhcpd.leases": """\
lease 192.0.2.181 {
  starts 4 2026/01/01 00:00:00;
  ends never;
  binding state active;
  hardware ethernet 02:00:00:18:00:01;
  client-hostname "isc-host";
}
""",
    "pihole.leases": "1767225600 02:00:00:18:00:02 192.0.2.182 pihole-host 01:02:00:00:18:00:02\n",
    "dnsmasq.leases": "1767225600 02:00:00:18:00:03 192.0.2.183 dnsmasq-host *\n",
}
PIHOLE = """\
CREATE TABLE network (id INTEGER PRIMARY KEY, hwaddr TEXT UNIQUE NOT NULL, interface TEXT NOT NULL,
  firstSeen INTEGER NOT NULL, lastQuery INTEGER NOT NULL, numQueries INTEGER NOT NULL, macVendor TEXT,
  aliasclient_id INTEGER);
CREATE TABLE network_addresses (network_id INTEGER NOT NULL, ip TEXT UNIQUE NOT NULL,
  lastSeen INTEGER NOT NULL DEFAULT 0, name TEXT, nameUpdated INTEGER);
INSERT INTO network VALUES (1, '02:00:00:19:00:01', 'eth0', 1767225600, 1767225600, 3, 'Trial Toasters', NULL);
INSERT INTO network_addresses VALUES (1, '192.0.2.191', 1767225600, 'toaster', 1767225600);
"""
OUI = f"020000\t{VENDOR}\n"
