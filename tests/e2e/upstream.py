"""An upstream whose every byte the test decides: a socket server that calls a function for each request."""

import socket
import ssl
import struct
import subprocess
import threading

from wire import DEADLINE, Message


class Request(Message):
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.body = body


class Peer:
    """A connection from the server under test."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number  # of the connection, from 1
        self.count = 0  # requests on it so far
        self.buffer = b""

    def read_request(self):
        """The next request, None at the end."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        request = Request(head, b"")
        length = int(request.get("Content-Length") or 0)
        while len(self.buffer) < length:
            if not self._fill():
                return None
        request.body, self.buffer = self.buffer[:length], self.buffer[length:]
        self.count += 1
        return request

    def _fill(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, status="200 OK", body=b"", *fields):
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n" + "".join(f"{field}\r\n" for field in fields)
        self.send(head.encode() + b"\r\n" + body)

    def wait_closed(self):
        """Reads until the other side is gone."""
        try:
            while self._fill():
                pass
        except OSError:
            pass

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Upstream:
    """handle(peer, request) answers; when it returns something true the connection is closed."""

    def __init__(self, handle, context=None):
        self.handle = handle
        self.context = context
        self.requests = []
        self.connections = 0
        self.failures = []
        self.closed = False
        self.arrived = threading.Semaphore(0)
        self.socks = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.origin = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.socks.append(sock)
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock, number):
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
                self.socks.append(sock)
            peer = Peer(sock, number)
            while request := peer.read_request():
                self.requests.append(request)
                self.arrived.release()
                if self.handle(peer, request):
                    break
            sock.close()
        except OSError:
            sock.close()
        except Exception as failure:  # told by the test's end
            self.failures.append(failure)
            sock.close()

    def wait_arrived(self):
        assert self.arrived.acquire(timeout=DEADLINE), "no request has come"

    def close(self):
        if self.closed:
            return
        self.closed = True
        self.listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake the thread in accept()
        self.listener.close()
        for sock in self.socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def make_certificate(directory, name="127.0.0.1"):
    """A certificate for an address that signs itself: its file, and a context to serve with it."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", f"subjectAltName=IP:{name}", "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True, timeout=DEADLINE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def simple(peer, request):
    peer.answer("200 OK", b"hello", "Content-Type: text/plain")


def answer_once(peer, request):
    """A handler that ends the connection on its second request."""
    if peer.count > 1:
        return True
    peer.answer("200 OK", b"ok")
    return False


def sends(data, close=True):
    """A handler that answers with these bytes."""

    def handle(peer, request):
        peer.send(data)
        return close

    return handle
