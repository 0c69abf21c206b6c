"""One HTTP request on a connection of its own, and its answer, or how the connection ended without one."""
import http.client
import json
import time

TIMEOUT_S = 60


class NoAnswer(Exception):
    """The connection was refused or closed, or nothing came in time."""


class HalfAnswer(Exception):
    """The connection was closed in the middle of an answer."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def problem(self):
        """The name of its problem; empty if it is none."""
        if self.headers.get_content_type() != "application/problem+json":
            return ""
        return self.json()["type"].rpartition("/")[2]

    def __str__(self):
        return f"{self.status} {self.body[:160].decode(errors='replace')}"


class Call:
    """A request; its local port and the time at which all of it was sent are there while it waits."""

    def __init__(self, method, target, body=None, fields=None, about=""):
        self.method = method
        self.target = target
        self.body = body
        self.fields = dict(fields or {})
        self.about = about
        self.port = None
        self.sent_at = None
        self.answer = None

    def __str__(self):
        return f"{self.method} {self.target} {self.fields or ''} {self.about}".rstrip()

    def send(self, address, timeout=TIMEOUT_S):
        """Answers its answer; raises NoAnswer or HalfAnswer."""
        host, _, port = address.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        try:
            connection.connect()
            self.port = connection.sock.getsockname()[1]
            connection.request(self.method, self.target, self.body, self.fields)
            self.sent_at = time.monotonic()
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as failure:
            raise NoAnswer(f"{type(failure).__name__}: {failure}") from None
        else:
            try:
                self.answer = Answer(response.status, response.headers, response.read())
            except (OSError, http.client.HTTPException) as failure:
                raise HalfAnswer(f"{response.status}, then {type(failure).__name__}: {failure}") from None
            return self.answer
        finally:
            connection.close()


def ask(address, method, target, body=None, fields=None):
    return Call(method, target, body, fields).send(address)
