"""An upstream that speaks HTTP/2 over TLS: each stream's request goes to a function on the connection's own thread."""

import socket
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from upstream import Request, Upstream


class Stream:
    """One request on a connection, and the ways to answer it."""

    def __init__(self, peer, number):
        self.peer = peer
        self.number = number
        self.request = None
        self.is_over = False  # reset by the other side

    def send_head(self, status, *fields, end=False):
        self.peer.h2.send_headers(self.number, [(":status", str(status)), *fields], end_stream=end)
        self.peer.flush()

    def send_data(self, data, end=True):
        """As the other side's windows allow; False if the stream has ended meanwhile."""
        at = 0
        while at < len(data) and not self.is_over:
            room = min(self.peer.h2.local_flow_control_window(self.number), self.peer.h2.max_outbound_frame_size, len(data) - at)
            if room == 0:
                if not self.peer.receive():
                    return False
                continue
            self.peer.h2.send_data(self.number, data[at:at + room])
            self.peer.flush()
            at += room
        if end and not self.is_over:
            self.peer.h2.end_stream(self.number)
            self.peer.flush()
        return not self.is_over

    def answer(self, status=200, body=b"", *fields):
        self.send_head(status, *fields, end=not body)
        if body:
            self.send_data(body)

    def reset(self, code=h2.errors.ErrorCodes.INTERNAL_ERROR):
        self.peer.h2.reset_stream(self.number, code)
        self.peer.flush()


class Http2Peer:
    def __init__(self, sock, number, on_request):
        self.sock = sock
        self.number = number  # of the connection, from 1
        self.on_request = on_request
        self.streams = {}
        self.waiting = []  # requests that have come while another was being answered
        self.is_over = False  # the connection has ended
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, validate_outbound_headers=False))

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def start(self):
        self.h2.initiate_connection()
        self.flush()

    def receive(self):
        """Takes what has come; False at the end of the connection."""
        data = self.sock.recv(65536)
        if not data:
            self.is_over = True
            return False
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()
        return True

    def _take(self, event):
        number = getattr(event, "stream_id", 0)
        if isinstance(event, h2.events.RequestReceived):
            stream = self.streams[number] = Stream(self, number)
            pairs = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
            pseudo = dict(pair for pair in pairs if pair[0].startswith(":"))
            stream.request = Request(f"{pseudo[':method']} {pseudo[':path']} HTTP/2".encode(), b"")
            stream.request.authority = pseudo[":authority"]
            stream.request.fields = [pair for pair in pairs if not pair[0].startswith(":")]
        elif isinstance(event, h2.events.DataReceived):
            self.streams[number].request.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, number)
        elif isinstance(event, h2.events.StreamReset):
            self.streams[number].is_over = True
        elif isinstance(event, h2.events.StreamEnded):
            self.waiting.append(self.streams[number])

    def run(self):
        self.start()
        while self.receive():
            while self.waiting:
                if self.on_request(self, self.waiting.pop(0)):
                    return


class Http2Upstream(Upstream):
    """handle(peer, stream) answers; when it returns something true the connection is closed."""

    def __init__(self, handle, context):
        context.set_alpn_protocols(["h2"])
        self.peers = []
        super().__init__(handle, context)

    def _serve(self, sock, number):
        try:
            sock = self.context.wrap_socket(sock, server_side=True)
            self.socks.append(sock)
            assert sock.selected_alpn_protocol() == "h2", "HTTP/2 was not asked for"
            peer = Http2Peer(sock, number, self._on_request)
            self.peers.append(peer)
            peer.run()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        except Exception as failure:  # told by the test's end
            self.failures.append(failure)
        sock.close()

    def _on_request(self, peer, stream):
        self.requests.append(stream.request)
        self.arrived.release()
        return self.handle(peer, stream)
