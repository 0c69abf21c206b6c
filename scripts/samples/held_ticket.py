#!/usr/bin/python3
"""A slow booking service to run behind deferd: quotes, prepares and executes the ticket of a held booking.

usage: held_ticket.py [--port PORT] [--delay SECONDS]

    POST /v1/servicing/heldTicket/quote     {"booking": "ABC123"}  what the ticket costs, and a quoteId
    POST /v1/servicing/heldTicket/prepare   {"quoteId": ...}       a preparationId
    POST /v1/servicing/heldTicket/execute   {"preparationId": ...} issues a ticket, on every request

Each answer takes some seconds, like an airline's.  All data is in memory and lost at the end.
"""

import argparse
import http.server
import itertools
import json
import re
import signal
import sys
import threading
import time

PREFIX = "/v1/servicing/heldTicket/"
BODY_MAX = 64 * 1024


class Refused(Exception):
    """A request that cannot be done: status and why."""


class Desk:
    """What the service knows."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.quotes = {}
        self.preparations = {}
        self.tickets = []

    def quote(self, request):
        booking = request.get("booking")
        if not isinstance(booking, str) or not re.fullmatch(r"[A-Z0-9]{6}", booking):
            raise Refused(400, "booking is not six letters and digits")
        quote = {"quoteId": f"Q{next(self.numbers):04}", "booking": booking, "total": {"amount": "231.40", "currency": "EUR"}}
        self.quotes[quote["quoteId"]] = quote
        return quote

    def prepare(self, request):
        quote = self.quotes.get(request.get("quoteId"))
        if not quote:
            raise Refused(404, "there is no such quote")
        preparation = {"preparationId": f"P{next(self.numbers):04}", "quoteId": quote["quoteId"]}
        self.preparations[preparation["preparationId"]] = preparation
        return preparation

    def execute(self, request):
        preparation = self.preparations.get(request.get("preparationId"))
        if not preparation:
            raise Refused(404, "nothing was prepared under that id")
        booking = self.quotes[preparation["quoteId"]]["booking"]
        ticket = {"ticketNumber": f"125-{2400000000 + next(self.numbers)}", "booking": booking}
        self.tickets.append(ticket)
        return {**ticket, "ticketsIssued": len(self.tickets)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "held-ticket"

    def log_message(self, *unused):
        pass

    def read_request(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > BODY_MAX:
            self.close_connection = True
            raise Refused(413, "the body is too large")
        try:
            request = json.loads(self.rfile.read(int(length)))
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise Refused(400, "the body is no JSON object")
        return request

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        try:
            request = self.read_request()
            step = {"quote": self.server.desk.quote, "prepare": self.server.desk.prepare,
                    "execute": self.server.desk.execute}.get(self.path.removeprefix(PREFIX))
            if not step or not self.path.startswith(PREFIX):
                raise Refused(404, "there is nothing here")
            time.sleep(self.server.delay)  # the airline is asked
            with self.server.desk.lock:
                answer = step(request)
            self.answer(200, answer)
        except Refused as refused:
            status, why = refused.args
            self.answer(status, {"error": why})


def main():
    parser = argparse.ArgumentParser(description="A slow booking service, to stand behind deferd.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--delay", type=float, default=3.0, help="seconds that every step takes")
    arguments = parser.parse_args()
    http.server.ThreadingHTTPServer.request_queue_size = 1024
    server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    server.daemon_threads = True
    server.desk = Desk()
    server.delay = arguments.delay
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(0))
    print(f"held_ticket: ready on 127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
