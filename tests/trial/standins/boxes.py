"""What does not speak HTTP: a MikroTik router's API, and a mail server and an MQTT broker that keep what they get."""
import email
import io
import itertools
import socketserver
import threading

LEASES = [{".id": "*1", "address": "192.0.2.171", "mac-address": "02:00:00:17:00:01", "host-name": "lathe",
           "comment": "big lathe", "last-seen": "10s", "status": "bound"},
          {".id": "*2", "address": "192.0.2.172", "mac-address": "02:00:00:17:00:02", "last-seen": "never",
           "status": "waiting"}]


class RouterOs(socketserver.StreamRequestHandler):
    """Sentences of words; a word is its length, one byte below 128, and its bytes; an empty one ends the sentence."""

    def handle(self):
        while sentence := list(iter(self.word, "")):
            if sentence[0] == "/ip/dhcp-server/lease/print":
                for lease in LEASES:
                    self.say("!re", *[f"={key}={value}" for key, value in lease.items()])
            self.say("!done")

    def word(self):
        length = self.rfile.read(1)
        return self.rfile.read(length[0]).decode() if length else ""

    def say(self, *words):
        self.wfile.write(b"".join(bytes([len(word)]) + word.encode() for word in words) + b"\0")


class Mail(socketserver.StreamRequestHandler):
    """Keeps what is said in plain text."""

    def handle(self):
        self.say("220 trial")
        for line in iter(lambda: self.rfile.readline().decode(errors="replace"), ""):
            command = line[:4].upper()
            if command == "QUIT":
                self.say("221 bye")
                return
            if command == "DATA":
                self.say("354 go on")
                message = email.message_from_bytes(b"".join(self.body()))
                self.server.received += [part.get_payload(decode=True).decode() for part in message.walk()
                                         if part.get_content_type() == "text/plain"]
            self.say("250 ok")

    def body(self):
        return itertools.takewhile(lambda line: line != b".\r\n", iter(self.rfile.readline, b""))

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class Mqtt(socketserver.StreamRequestHandler):
    """MQTT 5 as far as somebody needs who only publishes, without asking for receipts. Keeps (topic, message)."""

    def handle(self):
        while head := self.rfile.read(1):
            packet = self.rfile.read(self.number(self.rfile))
            kind = head[0] >> 4
            if kind == 1:  # connect: welcome, with no properties
                self.wfile.write(b"\x20\x03\x00\x00\x00")
            elif kind == 3:  # publish
                rest = io.BytesIO(packet)
                topic = rest.read(int.from_bytes(rest.read(2), "big")).decode()
                rest.read(self.number(rest))
                self.server.received.append((topic, rest.read().decode()))
            elif kind == 12:  # ping
                self.wfile.write(b"\xd0\x00")
            elif kind == 14:  # disconnect
                return

    @staticmethod
    def number(stream):
        """Seven bits a byte, the lowest first; the eighth says that another byte follows."""
        value = shift = 0
        while byte := stream.read(1):
            value |= (byte[0] & 127) << shift
            shift += 7
            if byte[0] < 128:
                break
        return value


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.received = []


def serve(handler):
    """A server on a free port of the loopback."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
