"""A small application that follows contract section 4 in Python's standard library alone: lines in a file."""

import json
import os
import signal
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

HERE = Path(__file__).parent
BEHAVIOUR = json.loads((HERE / "behaviour.json").read_text())
# What `install.py` has written into the release.
GENERATED = json.loads((HERE / "generated.json").read_text())
LINES = Path(os.environ["FILES_DIR"]) / "lines.txt"

if BEHAVIOUR.get("start") == "crash":
    raise RuntimeError("planted: crash at the start")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "local"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/_deploy/health":
            return self.answer(BEHAVIOUR.get("health", 200), {"status": "ok"})
        if self.path == "/":
            commit = os.environ["RELEASE_COMMIT"]
            return self.answer(200, {"version": BEHAVIOUR["version"], "commit": commit, **GENERATED})
        if self.path == "/lines":
            return self.answer(200, LINES.read_text().splitlines() if LINES.exists() else [])
        return self.answer(404, {})

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path != "/lines":
            return self.answer(404, {})
        with LINES.open("a") as file:
            file.write(f"{text} by {BEHAVIOUR['version']}\n")
        return self.answer(201, {})

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(404, {})


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    request_queue_size = 128


class Tcp(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True


def listen():
    address = os.environ["LISTEN"]
    if not address.startswith("/"):
        host, port = address.rsplit(":", 1)
        return Tcp((host, int(port)), Handler)
    Path(address).unlink(missing_ok=True)
    return Unix(address, Handler)


server = listen()
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.05)
# Waits for the requests in flight.
server.server_close()
