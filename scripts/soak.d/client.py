"""A client of the soak: a thread that makes calls of every kind, one after another, on a connection that it keeps, plain or with TLS."""
import http.client
import random
import ssl
import threading
import time
from collections import Counter

import wire

# How long results and tombstones are kept, and so how soon an end must be seen.
KEPT_S = 15


class Interrupted(Exception):
    """The server has ended or is draining."""


class Soak:
    """What all clients share."""

    def __init__(self, server, certificate):
        self.server = server
        self.tls = ssl.create_default_context(cafile=certificate)
        self.stop = threading.Event()
        self.failures = []
        self.counts = Counter()
        self.resident = self.steady = 0.0 # MiB once it held its steady number of results, and after how many seconds

    def fail(self, text):
        self.failures.append(text)
        self.stop.set()


def is_draining(status, body):
    return status == 503 and b"/problems/draining" in body


class Client(threading.Thread):
    """kinds: functions that make a call with a client, and how often each is made."""

    def __init__(self, soak, seed, kinds):
        super().__init__(daemon=True)
        self.soak = soak
        self.kinds = kinds
        self.random = random.Random(seed)
        self.with_tls = seed % 3 == 0
        self.connection = None
        self.counts = Counter()
        self.made, self.gone = {}, set() # resources by path: their names; and those that were deleted

    def run(self):
        kinds, weights = zip(*self.kinds.items())
        while not self.soak.stop.is_set():
            kind = self.random.choices(kinds, weights)[0]
            try:
                kind(self)
                self.counts[kind.__name__] += 1
            except (OSError, http.client.HTTPException, Interrupted):
                self.counts["interrupted"] += 1
                self.disconnect()
                time.sleep(0.05)
            except Exception as failure:
                self.soak.fail(f"{kind.__name__}: {type(failure).__name__}: {failure}")
        self.disconnect()

    def disconnect(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def connect(self):
        host, _, port = self.soak.server.addresses[1 if self.with_tls else 0].rpartition(":")
        if self.with_tls:
            return http.client.HTTPSConnection(host, int(port), timeout=wire.DEADLINE, context=self.soak.tls)
        return http.client.HTTPConnection(host, int(port), timeout=wire.DEADLINE)

    def call(self, method, target, body=None, fields=None):
        """Status, header and body of an answer; raises Interrupted if the server is draining."""
        if not self.connection:
            self.connection = self.connect()
        self.connection.request(method, target, body, fields or {})
        answer = self.connection.getresponse()
        data = answer.read()
        if is_draining(answer.status, data):
            raise Interrupted
        return answer.status, answer.headers, data

    def again(self, method, target, fields=None):
        """A repeatable call, repeated until it is answered."""
        deadline = time.monotonic() + wire.DEADLINE
        while True:
            try:
                return self.call(method, target, None, fields)
            except (OSError, http.client.HTTPException, Interrupted):
                self.disconnect()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def make_body(self, size=None):
        return self.random.randbytes(self.random.randrange(2000) if size is None else size)

    def is_refused(self, status, headers, data):
        """Whether the server is at capacity."""
        if status not in (429, 503):
            return False
        assert headers["Retry-After"], data
        self.counts["refused"] += 1
        return True

    def wait_end(self, id_):
        """The final response of an operation, by its monitor."""
        deadline = time.monotonic() + KEPT_S
        while time.monotonic() < deadline:
            answer = self.again("GET", f"/operations/{id_}", {"Prefer": "wait=2"})
            if answer[0] != 202:
                return answer
        raise AssertionError(f"{id_[:8]} has not ended")
