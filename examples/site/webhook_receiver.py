#!/usr/bin/env python3
"""Prints the notifications that the example plugin webhook sends to it, if their signature is right."""

import argparse
import contextlib
import datetime
import hmac
import http.server
import json
import os
import select
import threading

LARGEST_BODY = 16 << 20


class Receiver(http.server.BaseHTTPRequestHandler):
    timeout = 10  # seconds that a client may keep silent

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return self.answer(413, f"a body of up to {LARGEST_BODY} bytes, with its length, is taken")
        body = self.rfile.read(int(length))
        wanted = "sha256=" + hmac.new(self.server.secret, body, "sha256").hexdigest()
        if not hmac.compare_digest(wanted.encode(), self.headers.get("X-Webhook-Signature", "").encode()):
            say("refused: no valid signature")
            return self.answer(401, "no valid signature")
        try:
            notification = json.loads(body)
            guid, text = str(notification["guid"]), str(notification["text"])
        except (ValueError, KeyError, TypeError, RecursionError):
            say("refused: no notification")
            return self.answer(400, "no JSON object with guid and text")
        say(f"notification {guid}, signature valid\n{text}")
        return self.answer(200, "taken")

    def answer(self, status, text):
        body = text.encode()
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_):
        pass  # what matters is printed


def say(text):
    # Names of devices come from the network, and may hold what a terminal would obey.
    harmless = "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)
    print(f"{datetime.datetime.now():%H:%M:%S} {harmless}", flush=True)


def stop_with(server, pid):
    """Ends the server as soon as that process has ended."""
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(pid)], [], [])
    server.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8701, help="of 127.0.0.1; 0: a free one (default: %(default)s)")
    parser.add_argument("--secret", default="only an example", help="what HOOK_SECRET is (default: '%(default)s')")
    parser.add_argument("--with-pid", type=int, help="end when this process does")
    arguments = parser.parse_args()
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Receiver)
    except OSError as error:
        raise SystemExit(f"127.0.0.1:{arguments.port}: {error.strerror}") from error
    server.secret = arguments.secret.encode()
    say(f"listening on http://127.0.0.1:{server.server_port}/")
    if arguments.with_pid:
        threading.Thread(target=stop_with, args=(server, arguments.with_pid), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
