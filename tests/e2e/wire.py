"""HTTP over a bare socket: sends what http.client will not, and reads strictly what comes back."""

import base64
import http.client
import json
import re
import select
import socket
import struct
import time

# Long enough for a loaded machine under sanitizers; nothing waits as long unless something is broken.
DEADLINE = 20.0

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x20-\x7e]*)\Z")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\Z")


# What has been sent that no log may ever hold: credentials, keys, and what the bodies of calls were.
SECRETS = set()
SECRET_FIELDS = ("authorization", "proxy-authorization", "cookie", "idempotency-key")
SECRET_MIN = 8  # shorter ones stand in a line by chance


def note_secrets(pairs, body):
    """Remembers the secrets of a request; of credentials each part, and a password both ways."""
    for name, value in pairs:
        if name.lower() not in SECRET_FIELDS:
            continue
        for part in {value, value.strip('"'), *value.split()[1:]}:
            SECRETS.add(part)
            try:
                SECRETS.add(base64.b64decode(part, validate=True).decode().partition(":")[2])
            except ValueError:
                pass
    if body and len(body) < 1000 and len(set(body)) > 4:
        SECRETS.add(body.decode("latin-1"))


def find_secrets(text):
    return sorted(secret for secret in SECRETS if len(secret) >= SECRET_MIN and secret in text)


class Message:
    """What has fields: a list of pairs."""

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None


class Response(Message):
    """One response: status, reason, fields as a list of pairs, body as bytes."""

    def __init__(self, status, reason, fields, body):
        self.status = status
        self.reason = reason
        self.fields = fields
        self.body = body

    def json(self):
        return json.loads(self.body)

    def media_type(self):
        return (self.get("Content-Type") or "").split(";")[0].strip().lower()

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r}>"


def open_socket(address):
    """Connects to "127.0.0.1:80", "[::1]:80" or "unix:PATH"."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(DEADLINE)
        sock.connect(address[len("unix:"):])
        return sock
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), DEADLINE)


class Connection:
    """A connection on which a test says every byte itself."""

    def __init__(self, address, check=None):
        self.address = address
        self.check = check
        self.sock = open_socket(address)
        self.buffer = bytearray()

    def send(self, data):
        self.sock.sendall(data)

    def request(self, method, target, body=None, fields=(), version="1.1"):
        """Sends a request; fields is a mapping or a list of pairs, Host and Content-Length are added."""
        pairs = list(fields.items() if hasattr(fields, "items") else fields)
        names = {name.lower() for name, _ in pairs}
        note_secrets(pairs, body)
        lines = [f"{method} {target} HTTP/{version}"]
        if "host" not in names:
            host = "localhost" if self.address.startswith("unix:") else self.address
            lines.append(f"Host: {host}")
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in pairs]
        self.send("\r\n".join(lines + ["", ""]).encode("latin-1") + (body or b""))
        return self

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        assert left > 0 and select.select([self.sock], [], [], left)[0], \
            f"no answer in time; so far {bytes(self.buffer[:300])!r}"
        piece = self.sock.recv(65536)
        self.buffer += piece
        return len(piece) > 0

    def _read_until(self, mark, deadline):
        while mark not in self.buffer:
            assert self._fill(deadline), f"closed in the middle of {self.buffer[:300]!r}"
        line = bytes(self.buffer[:self.buffer.index(mark)])
        del self.buffer[:len(line) + len(mark)]
        return line

    def _read_exactly(self, count, deadline):
        while len(self.buffer) < count:
            assert self._fill(deadline), f"closed after {len(self.buffer)} of {count} bytes"
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def _read_chunks(self, deadline):
        body = bytearray()
        while True:
            size = int(self._read_until(b"\r\n", deadline), 16)
            data = self._read_exactly(size + 2, deadline)
            assert data.endswith(b"\r\n")
            if size == 0:
                return bytes(body)
            body += data[:-2]

    def receive(self, method="GET", timeout=DEADLINE):
        """Reads one response to a request of that method; interim ones count, too."""
        deadline = time.monotonic() + timeout
        head = self._read_until(b"\r\n\r\n", deadline).split(b"\r\n")
        match = STATUS_LINE.match(head[0])
        assert match, f"not a status line: {head[0]!r}"
        status = int(match[1])
        fields = []
        for line in head[1:]:
            field = FIELD_LINE.match(line)
            assert field, f"not a header line: {line!r}"
            fields.append((field[1].decode(), field[2].decode("latin-1")))
        response = Response(status, match[2].decode(), fields, b"")
        length, coding = response.get("Content-Length"), response.get("Transfer-Encoding")
        assert not (length and coding)
        if method == "HEAD" or status < 200 or status in (204, 304):
            pass
        elif coding:
            assert coding.lower() == "chunked"
            response.body = self._read_chunks(deadline)
        else:
            assert length is not None and length.isdigit(), "the length of the body is not told"
            response.body = self._read_exactly(int(length), deadline)
        if self.check and status >= 200:
            self.check(response, method)
        return response

    def receive_end(self, timeout=DEADLINE):
        """Reads until the server closes, and returns what came; a reset counts as a close."""
        deadline = time.monotonic() + timeout
        try:
            while self._fill(deadline):
                pass
        except ConnectionError:
            pass
        data = bytes(self.buffer)
        self.buffer.clear()
        return data

    def is_quiet(self):
        """Whether nothing is there to be read now."""
        return not self.buffer and not select.select([self.sock], [], [], 0)[0]

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class UnixHTTPConnection(http.client.HTTPConnection):
    """http.client over a unix socket."""

    def __init__(self, address):
        super().__init__("localhost", timeout=DEADLINE)
        self.unix_address = address

    def connect(self):
        self.sock = open_socket(self.unix_address)


def call(address, method, target, body=None, fields=()):
    """One request by http.client on a connection of its own."""
    if address.startswith("unix:"):
        client = UnixHTTPConnection(address)
    else:
        host, _, port = address.rpartition(":")
        client = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=DEADLINE)
    try:
        pairs = list(fields.items() if hasattr(fields, "items") else fields)
        names = {name.lower() for name, _ in pairs}
        note_secrets(pairs, body)
        client.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        if body is not None and "content-length" not in names:
            client.putheader("Content-Length", str(len(body)))
        for name, value in pairs:
            client.putheader(name, value)
        client.endheaders(body)
        answer = client.getresponse()
        return Response(answer.status, answer.reason, answer.getheaders(), answer.read())
    finally:
        client.close()
