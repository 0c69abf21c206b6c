#!/usr/bin/python3
"""The upstream of the soak, a process of its own: prints its port, serves until its standard input ends.  What it does is in the path."""
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def handle_call(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = self.path.partition("?")[0].rpartition("/")[2]
        if what == "slow":
            time.sleep(0.2)
        if what == "gone":
            self.close_connection = True
            return
        status = 500 if what == "fails" else 201 if what == "made" else 200
        if what == "change":
            body = b'{"serial": 2}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + (1 if what == "half" else 0)))
        if what == "made":
            self.send_header("Location", "/base/things/1")
        self.send_header("Content-Type", "application/json" if what == "change" else "application/octet-stream")
        self.end_headers()
        self.wfile.write(body)
        if what == "half":
            self.close_connection = True

    do_GET = do_POST = do_PUT = handle_call

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Ignores clients that have left."""


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
