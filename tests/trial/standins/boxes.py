"""What does not speak HTTP: a MikroTik router's API, and a mail server that keeps nothing."""
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
    def handle(self):
        self.say("220 trial")
        for line in iter(lambda: self.rfile.readline().decode(errors="replace"), ""):
            command = line[:4].upper()
            if command == "QUIT":
                self.say("221 bye")
                return
            if command == "DATA":
                self.say("354 go on")
                while self.rfile.readline().rstrip(b"\r\n") != b".":
                    pass
            self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def serve(handler):
    """A server on a free port of the loopback."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
