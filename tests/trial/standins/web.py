"""The web interfaces of routers, controllers and services that plugins ask, on one port of this machine, with TLS
on another. Each answers what its plugin asks for, as the real one would; notifications alone are kept.
"""
import http.server
import json
import re
import ssl
import threading
import time
import urllib.parse

# (method, pattern of the path) -> what answers: a document, or a function of the request.
ANSWERS = []


class Request:
    def __init__(self, path, query, body, received):
        self.path, self.query, self.body, self.received = path, query, body, received

    @property
    def json(self):
        return json.loads(self.body)


class Answer:
    def __init__(self, body, status=200, kind="text/plain"):
        self.body, self.status, self.kind = body, status, kind


def answers(method, pattern, document=None):
    if document is not None:
        ANSWERS.append((method, re.compile(pattern), lambda request: document))
        return None

    def register(function):
        ANSWERS.append((method, re.compile(pattern), function))
        return function
    return register


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", errors="replace")
        request = Request(url.path, dict(urllib.parse.parse_qsl(url.query)), body, self.server.received)
        found = next((function for method, pattern, function in ANSWERS
                      if method == self.command and pattern.fullmatch(url.path)), None)
        answer = found(request) if found else Answer("no such page", 404)
        if not isinstance(answer, Answer):
            answer = Answer(json.dumps(answer), kind="application/json")
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *arguments):
        pass


def serve(certificate=None):
    """A server on a free port of the loopback; with the file of a key and certificate, over TLS."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.received = []
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


# ---- AdGuard Home ------------------------------------------------------------------------

answers("GET", "/control/clients", {"clients": [], "supported_tags": [], "auto_clients": [
    {"ip": "192.0.2.61", "name": "lamp", "source": "DHCP", "whois_info": {}},
    {"ip": "192.0.2.62", "name": "guest", "source": "ARP", "whois_info": {}}]})
answers("GET", "/control/dhcp/status", {
    "enabled": True, "interface_name": "eth0", "static_leases": [],
    "leases": [{"mac": "02:00:00:61:00:01", "ip": "192.0.2.61", "hostname": "lamp",
                "expires": "2026-12-01T00:00:00Z"}]})
answers("POST", "/control/clients/(add|update|delete)")(lambda request: Answer(""))


# ---- Kea ---------------------------------------------------------------------------------

@answers("POST", "/kea")
def kea(request):
    if request.json["command"] != "lease4-get-all":
        return [{"result": 2, "text": "unknown command"}]
    leases = [{"cltt": 1767225600, "fqdn-fwd": False, "fqdn-rev": False, "hostname": name, "hw-address": mac,
               "ip-address": ip, "state": state, "subnet-id": 1, "valid-lft": 3600}
              for mac, ip, name, state in [("02:00:00:71:00:01", "192.0.2.71", "kettle.trial.example", 0),
                                           ("02:00:00:71:00:02", "192.0.2.72", "", 1)]]
    return [{"result": 0, "text": "2 IPv4 lease(s) found.", "arguments": {"leases": leases}}]


# ---- OpenWrt -----------------------------------------------------------------------------

@answers("POST", "/cgi-bin/luci/rpc/(auth|sys|uci|ip)")
def luci(request):
    results = {
        "login": "0123456789abcdef0123456789abcdef",
        "exec": "23.05.5\n",
        "neighbors": [
            {"mac": "02:00:00:81:00:01", "dest": "192.0.2.81", "family": 4, "dev": "br-lan", "reachable": True},
            {"mac": "02:00:00:81:00:02", "dest": "192.0.2.82", "family": 4, "dev": "br-lan", "reachable": False},
            {"dest": "192.0.2.83", "family": 4, "dev": "br-lan", "failed": True}],
        "get_all": {"cfg01": {".type": "host", ".name": "cfg01", "mac": "02:00:00:81:00:01", "name": "fridge",
                              "ip": "192.0.2.81"}},
    }
    return {"id": None, "result": results[request.json["method"]], "error": None}


# ---- Pi-hole -----------------------------------------------------------------------------

answers("POST", "/api/auth", {"session": {"valid": True, "totp": False, "sid": "c2lk", "csrf": "Y3NyZg",
                                          "validity": 300}, "took": 0.01})
answers("DELETE", "/api/auth")(lambda request: Answer("", 204))


@answers("GET", "/api/network/devices")
def pihole(request):
    now = int(time.time())
    return {"took": 0.01, "devices": [
        {"id": 1, "hwaddr": "02:00:00:91:00:01", "interface": "eth0", "firstSeen": now - 9000, "lastQuery": now - 5,
         "numQueries": 12, "macVendor": "Trial Radios",
         "ips": [{"ip": "192.0.2.91", "name": "radio", "lastSeen": now - 5, "nameUpdated": now - 900}]},
        {"id": 2, "hwaddr": "02:00:00:91:00:02", "interface": "eth0", "firstSeen": 1, "lastQuery": 1,
         "numQueries": 1, "macVendor": "", "ips": [{"ip": "192.0.2.92", "name": None, "lastSeen": 1,
                                                    "nameUpdated": 1}]}]}


# ---- any JSON endpoint -------------------------------------------------------------------

answers("GET", "/inventory.json", {"result": {"hosts": [
    {"hw": "02-00-00-A1-00-01", "address": "192.0.2.101", "label": "press", "maker": "Trial Presses", "net": "shop",
     "kind": "Printer", "switch": "02:00:00:a1:00:fe", "port": 7, "site": "plant", "vlan": 20},
    {"hw": "none", "address": "192.0.2.102", "label": "nobody"}]}})
answers("GET", "/", Answer("up"))


# ---- Omada -------------------------------------------------------------------------------

def omada(result):
    return {"errorCode": 0, "msg": "Success.", "result": result}


def omada_page(*data):
    return omada({"totalRows": len(data), "currentPage": 1, "currentSize": 1000, "data": list(data)})


OMADA = "/openapi/v1/[0-9a-f]+"
answers("POST", "/openapi/authorize/token", omada({"accessToken": "AT-1", "tokenType": "bearer", "expiresIn": 7200,
                                                   "refreshToken": "RT-1"}))
answers("GET", OMADA + "/system/setting/controller-status", omada({"controllerVersion": "6.2.0.17"}))
answers("GET", OMADA + "/sites", omada_page({"siteId": "5e1", "name": "Trial", "region": "", "type": 0}))
answers("GET", OMADA + "/sites/5e1/devices", omada_page(
    {"mac": "02-00-00-B1-00-01", "name": "gate", "type": "gateway", "ip": "192.168.0.1", "lastSeen": 1767225600000},
    {"mac": "02-00-00-B1-00-02", "name": "rack", "type": "switch", "ip": "192.0.2.112", "lastSeen": 1767225600000,
     "uplinkDeviceMac": "02-00-00-B1-00-01"}))
answers("POST", "/openapi/v2/[0-9a-f]+/sites/5e1/clients", omada_page(
    {"mac": "02-00-00-B1-00-03", "name": "till", "deviceType": "pc", "ip": "192.0.2.113", "vid": 30, "port": 5,
     "connectDevType": "switch", "switchMac": "02-00-00-B1-00-02", "lastSeen": 1767225600000}))


# ---- UniFi, both interfaces --------------------------------------------------------------

UNIFI_SITE = "88f7af54-98f8-306a-a1c7-c9349722b1f6"
UNIFI = {
    "devices": [{"id": "d1", "name": "hall", "macAddress": "02:00:00:c1:00:01", "ipAddress": "192.0.2.121",
                 "features": ["switching"], "state": "ONLINE"},
                {"id": "d2", "name": "roof", "macAddress": "02:00:00:c1:00:02", "ipAddress": "192.0.2.122",
                 "features": ["accessPoint"], "uplinkDeviceId": "d1", "state": "ONLINE"}],
    "clients": [{"id": "c1", "name": "kiosk", "macAddress": "02:00:00:c1:00:03", "ipAddress": "192.0.2.123",
                 "type": "WIRED", "connectedAt": "2026-01-01T00:00:00Z", "uplinkDeviceId": "d1"}],
    "networks": [{"id": "n1", "name": "Default", "vlanId": 1, "default": True}],
    "wans": [{"id": "w1", "name": "Internet 1"}],
    "wifi/broadcasts": [{"id": "b1", "name": "trial-wifi", "enabled": True}],
}


def unifi_page(data):
    return {"offset": 0, "limit": 100, "count": len(data), "totalCount": len(data), "data": data}


answers("GET", "/v1/sites", unifi_page([{"id": UNIFI_SITE, "internalReference": "default", "name": "Default"}]))


@answers("GET", f"/v1/sites/{UNIFI_SITE}/({'|'.join(UNIFI)})")
def unifi(request):
    return unifi_page(UNIFI[request.path.split(UNIFI_SITE + "/")[1]])


def classic(*data):
    return {"meta": {"rc": "ok"}, "data": list(data)}


answers("POST", "/api/login", classic())
answers("GET", "/api/s/default/stat/sta", classic(
    {"mac": "02:00:00:d1:00:01", "hostname": "desk", "ip": "192.0.2.131", "oui": "Trial Desks", "network": "LAN",
     "sw_mac": "02:00:00:d1:00:02", "sw_port": 3, "state": 1, "is_wired": True}))
answers("GET", "/api/s/default/stat/device", classic(
    {"mac": "02:00:00:d1:00:02", "name": "closet", "ip": "192.0.2.132", "type": "usw", "state": 1,
     "uplink": {"uplink_mac": "02:00:00:d1:00:fe", "uplink_remote_port": 8}}))
answers("GET", "/api/s/default/list/user", classic(
    {"mac": "02:00:00:d1:00:03", "name": "visitor", "last_ip": "192.0.2.133"}))


# ---- Freebox -----------------------------------------------------------------------------

def freebox(result):
    return {"success": True, "result": result}


answers("POST", "/api/v6/login/authorize/", freebox({"app_token": "trial", "track_id": 1}))
answers("GET", "/api/v6/login/authorize/1", freebox({"status": "granted", "challenge": "c", "password_salt": "s"}))
answers("GET", "/api/v6/login", freebox({"logged_in": False, "challenge": "c", "password_salt": "s"}))
answers("POST", "/api/v6/login/session/", freebox({"session_token": "t", "challenge": "c",
                                                   "permissions": {"settings": True}}))
answers("POST", "/api/v6/login/logout", freebox(None))
answers("GET", "/api/v6/system/", freebox({"mac": "02:00:00:e1:00:01",
                                           "model_info": {"net_operator": "Trial Telecom"}}))
answers("GET", "/api/v6/lan/config/", freebox({"ip": "192.0.2.141", "name": "box", "mode": "router"}))
answers("GET", "/api/v6/lan/browser/pub", freebox([
    {"id": "ether-1", "primary_name": "player", "vendor_name": "Trial Players", "host_type": "television",
     "l2ident": {"id": "02:00:00:e1:00:02", "type": "mac_address"}, "l3connectivities": [
         {"addr": "192.0.2.142", "af": "ipv4", "reachable": True, "last_time_reachable": 1767225600},
         {"addr": "fe80::1", "af": "ipv6", "reachable": False, "last_time_reachable": 1}]}]))


# ---- FRITZ!Box ---------------------------------------------------------------------------

FRITZ_HOSTS = [("02:00:00:F1:00:01", "192.0.2.151", "console", "1", "802.11"),
               ("02:00:00:F1:00:02", "192.0.2.152", "plotter", "1", "Ethernet"),
               ("02:00:00:F1:00:03", "", "away", "0", "")]
# service -> action -> [(argument, direction, type)]
FRITZ = {
    "Hosts:1": {
        "GetHostNumberOfEntries": [("NewHostNumberOfEntries", "out", "ui2")],
        "GetGenericHostEntry": [("NewIndex", "in", "ui2"), ("NewIPAddress", "out", "string"),
                                ("NewMACAddress", "out", "string"), ("NewActive", "out", "boolean"),
                                ("NewHostName", "out", "string"), ("NewInterfaceType", "out", "string")]},
    "WLANConfiguration:3": {"GetInfo": [("NewEnable", "out", "boolean"), ("NewSSID", "out", "string")]},
    "DeviceInfo:1": {"GetInfo": [("NewModelName", "out", "string"), ("NewMACAddress", "out", "string")]},
}


def xml(text):
    return Answer('<?xml version="1.0"?>\n' + text, kind="text/xml")


@answers("GET", "/(igddesc|tr64desc).xml")
def fritz_description(request):
    services = "".join(
        f"<service><serviceType>urn:dslforum-org:service:{service}</serviceType>"
        f"<serviceId>urn:{service.split(':')[0]}-com:serviceId:{service.replace(':', '')}</serviceId>"
        f"<controlURL>/upnp/control/{service}</controlURL><eventSubURL>/upnp/control/{service}</eventSubURL>"
        f"<SCPDURL>/scpd/{service}.xml</SCPDURL></service>" for service in FRITZ)
    return xml('<root xmlns="urn:dslforum-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>'
               "<systemVersion><HW>1</HW><Major>1</Major><Minor>7</Minor><Patch>57</Patch><Buildnumber>1</Buildnumber>"
               "<Display>1.07.57</Display></systemVersion><device><friendlyName>box</friendlyName>"
               f"<modelName>Trial Box</modelName><serviceList>{services}</serviceList></device></root>")


@answers("GET", "/scpd/.*xml")
def fritz_service(request):
    actions = FRITZ[request.path.removeprefix("/scpd/").removesuffix(".xml")]
    listed = "".join(
        f"<action><name>{name}</name><argumentList>" + "".join(
            f"<argument><name>{argument}</name><direction>{direction}</direction>"
            f"<relatedStateVariable>{argument[3:]}</relatedStateVariable></argument>"
            for argument, direction, _ in arguments) + "</argumentList></action>"
        for name, arguments in actions.items())
    variables = {argument[3:]: kind for arguments in actions.values() for argument, _, kind in arguments}
    table = "".join(f"<stateVariable><name>{name}</name><dataType>{kind}</dataType></stateVariable>"
                    for name, kind in variables.items())
    return xml('<scpd xmlns="urn:dslforum-org:service-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>'
               f"<actionList>{listed}</actionList><serviceStateTable>{table}</serviceStateTable></scpd>")


@answers("POST", "/upnp/control/.*")
def fritz_action(request):
    service = request.path.removeprefix("/upnp/control/")
    action = re.search(r"<u:(\w+)", request.body).group(1)
    values = {"NewHostNumberOfEntries": len(FRITZ_HOSTS), "NewEnable": 1, "NewSSID": "guests",
              "NewModelName": "Trial Box", "NewMACAddress": "02:00:00:F1:00:FE"}
    if action == "GetGenericHostEntry":
        host = FRITZ_HOSTS[int(re.search(r"<NewIndex>(\d+)", request.body).group(1))]
        values = dict(zip(("NewMACAddress", "NewIPAddress", "NewHostName", "NewActive", "NewInterfaceType"), host))
    out = "".join(f"<{name}>{values[name]}</{name}>" for name, direction, _ in FRITZ[service][action]
                  if direction == "out")
    return xml('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
               f'<u:{action}Response xmlns:u="urn:dslforum-org:service:{service}">{out}</u:{action}Response>'
               "</s:Body></s:Envelope>")


# ---- AsusWRT -----------------------------------------------------------------------------

ASUS_CLIENT = {"type": "1", "mac": "02:00:00:15:00:01", "name": "printer", "nickName": "", "ip": "192.0.2.161",
               "vendor": "Trial Looms", "isWL": "0", "isOnline": "1", "ipMethod": "DHCP", "internetState": 1,
               "internetMode": "allow", "isGN": "", "rssi": "", "curTx": "", "curRx": "", "wlConnectTime": ""}
ASUS_VALUES = {"serial_no": "T1", "label_mac": "02:00:00:15:00:FE", "lan_hwaddr": "02:00:00:15:00:FE",
               "wan_hwaddr": "02:00:00:15:00:FD", "productid": "RT-TRIAL", "firmver": "3.0.0.4", "buildno": "386",
               "extendno": "1", "rc_support": "2.4G 5G", "ss_support": "", "led_val": "1", "ledg_rgb1": "",
               "ledg_rgb2": ""}
answers("POST", "/login.cgi", {"asus_token": "trial"})
answers("POST", "/Logout.asp", {"error_status": "8"})


@answers("POST", "/appGet.cgi")
def asus(request):
    asked = re.findall(r"nvram_get\((\w+)\)", urllib.parse.unquote(request.body))
    return {name: ASUS_VALUES.get(name, "") for name in asked}


@answers("POST", "/update_clients.asp")
def asus_clients(request):
    listed = json.dumps([{ASUS_CLIENT["mac"]: ASUS_CLIENT, "maclist": [ASUS_CLIENT["mac"]],
                          "ClientAPILevel": "5"}])
    return Answer(f"originData = {{ fromNetworkmapd : {listed}, nmpClient : [{{}}] }}\n"
                  "networkmap_fullscan = '0';\n")


# ---- where notifications go --------------------------------------------------------------

@answers("POST", "/notify/(.*)")
def notify(request):
    request.received.append((request.path.removeprefix("/notify/"), request.body))
    return {"id": "trial"}
