"""Ambiguous requests through reverse proxies: what they forward is refused, or read as they have read it.

Every request that comes to its work leaves a record.  A front marks what it forwards with an id of its own, the method and the target that
it has read, so that a request which it does not know of has no mark, or somebody else's; and it counts.  After each ambiguous request others
go through the same connection to the server: each must get its own answer."""

import re
import shutil

import pytest

import wire
from exposition import Exposition
from fronts import FRONTS, find
from harness import eventually, route, shell

# A record is there once it is whole; until then its name begins with a dot.
RECORD = 'd=$(mktemp -d "$1/.XXXXXXXXXX") && cat >"$d/body" && env -0 >"$d/environment" && mv "$d" "$1/${d##*/.}" && ' \
         'printf "%s %s" "$HTTP_X_FRONT_ID" "$REQUEST_URI"'
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
POISON = b"GET /poison HTTP/1.1\r\nHost: poison\r\nX-Front-Id: forged\r\nX-Poison: "


def request(line, *fields, body=b"", host=b"Host: front"):
    lines = [line, *([host] if host else []), *fields]
    return b"".join(one + b"\r\n" for one in lines) + b"\r\n" + body


def chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def post(*fields, body=b"", line=b"POST /post HTTP/1.1", host=b"Host: front"):
    return request(line, *fields, body=body, host=host)


CHUNKED = b"Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"


def both(te, cl):
    """A length that ends before the poison, and a coding; the poison follows the last chunk."""
    return post(te, b"Content-Length: %d" % cl, body=LAST + POISON + b"\r\n\r\n")


def coded(te):
    return post(te, body=chunk(b"abc") + LAST + POISON + b"\r\n\r\n")


def coded_and_long(te, body=LAST + POISON):
    return post(te, b"Content-Length: %d" % len(body), body=body)


def sized(size):
    return post(CHUNKED, body=size + b"\r\nabc\r\n" + LAST + POISON + b"\r\n\r\n")


def long(value, body=b"abc"):
    return post(b"Content-Length:" + value, body=body + POISON + b"\r\n\r\n")


CASES = {
    # Two lengths at once.
    "coding and length 0": both(CHUNKED, 0),
    "coding and length of the chunks": both(CHUNKED, len(LAST)),
    "coding and length of all": coded_and_long(CHUNKED),
    "length, then coding": post(b"Content-Length: 5", CHUNKED, body=LAST + POISON + b"\r\n\r\n"),
    "two lengths": post(b"Content-Length: 3", b"Content-Length: 0", body=b"abc" + POISON + b"\r\n\r\n"),
    "two lengths, turned": post(b"Content-Length: 0", b"Content-Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "two equal lengths": post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "list of lengths": long(b" 3, 3"),
    "list of other lengths": long(b" 3, 0"),
    # Lengths that are none.
    **{f"length {value!r}": long(value) for value in
       (b" +3", b" -3", b" 0x3", b" 3 3", b" 3;", b" 03", b"\t3", b" 3\t", b" \x0b3", b" 3\x0c", b" 3\xa0", b" 3.0", b" 3e0", b" '3'", b"",
        b" 18446744073709551619", b" 4294967299", b" 9223372036854775808")},
    "length with a blank before the colon": post(b"Content-Length : 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "length with a tab before the colon": post(b"Content-Length\t: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "length with a blank before it": post(b"X: y", b" Content-Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "length with an underscore": post(b"Content_Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    # Codings.
    **{f"coding {value!r}": coded(b"Transfer-Encoding:" + value) for value in
       (b" chunked", b"chunked", b"\tchunked", b" chunked ", b" Chunked", b" CHUNKED", b" xchunked", b" chunkedx", b" chunked, chunked",
        b" identity", b" identity, chunked", b" chunked, identity", b" gzip, chunked", b" chunked;a=b", b' "chunked"', b" ,chunked",
        b" chunked,", b" \x0bchunked", b" chunked\x0b", b" \x00chunked", b" chunked\x00", b"", b" chunk", b" cow")},
    **{f"coding {value!r} and a length": coded_and_long(b"Transfer-Encoding:" + value) for value in
       (b" xchunked", b" identity", b" \x0bchunked", b" chunked;a", b"", b" chunked, identity", b" chunked\x00")},
    "two codings": post(CHUNKED, CHUNKED, body=chunk(b"abc") + LAST + POISON + b"\r\n\r\n"),
    "two other codings": post(CHUNKED, b"Transfer-Encoding: cow", body=LAST + POISON + b"\r\n\r\n"),
    "coding with a blank before the colon": coded_and_long(b"Transfer-Encoding : chunked"),
    "coding with a blank before it": post(b"X: y", b" Transfer-Encoding: chunked", b"Content-Length: 5", body=LAST + POISON),
    "coding with an underscore": coded_and_long(b"Transfer_Encoding: chunked"),
    "coding folded": post(b"Transfer-Encoding:\r\n chunked", body=LAST + POISON + b"\r\n\r\n"),
    "coding folded, and a length": coded_and_long(b"Transfer-Encoding:\r\n chunked"),
    "coding behind a bare LF": coded_and_long(b"X: y\nTransfer-Encoding: chunked"),
    "coding behind a bare CR": coded_and_long(b"X: y\rTransfer-Encoding: chunked"),
    "coding behind a NUL": coded_and_long(b"X: y\x00\r\nTransfer-Encoding: chunked"),
    "coding in HTTP/1.0": post(CHUNKED, body=chunk(b"abc") + LAST + POISON + b"\r\n\r\n", line=b"POST /post HTTP/1.0"),
    "coding named by Connection": post(b"Connection: Transfer-Encoding", CHUNKED, b"Content-Length: 5", body=LAST + POISON),
    "length named by Connection": post(b"Connection: Content-Length", b"Content-Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    # Chunks.
    **{f"chunk size {size!r}": sized(size) for size in
       (b"3", b"03", b"003", b"+3", b"-3", b"0x3", b"3 ", b" 3", b"3\t", b"3;", b"3;a", b"3;a=b", b'3;a="b"', b'3;a="\r\n0\r\n\r\n"', b"3 ;a", b"3; a=b",
        b"3;\x00", b"3;a\nb", b"3\n", b"3,4", b"3\r", b"\r\n3", b"3g", b"", b"10000000000000003", b"ffffffffffffffff3", b"100000003", b"3;" + b"a" * 5000)},
    "chunk without its CRLF": post(CHUNKED, body=b"3\r\nabc" + LAST + POISON + b"\r\n\r\n"),
    "chunk with LF alone": post(CHUNKED, body=b"3\nabc\n0\n\n" + POISON + b"\r\n\r\n"),
    "chunk with two bytes for CRLF": post(CHUNKED, body=b"3\r\nabcXX0\r\n\r\n" + POISON + b"\r\n\r\n"),
    "last chunk with many zeros": post(CHUNKED, body=chunk(b"abc") + b"0000000000000000000000\r\n\r\n" + POISON + b"\r\n\r\n"),
    "last chunk with an extension": post(CHUNKED, body=chunk(b"abc") + b"0;a=b\r\n\r\n" + POISON + b"\r\n\r\n"),
    "last chunk with LF alone": post(CHUNKED, body=chunk(b"abc") + b"0\n\n" + POISON + b"\r\n\r\n"),
    "trailer": post(CHUNKED, body=chunk(b"abc") + b"0\r\nX-T: y\r\n\r\n" + POISON + b"\r\n\r\n"),
    "trailer that frames": post(CHUNKED, body=chunk(b"abc") + b"0\r\nContent-Length: 60\r\n\r\n" + POISON + b"\r\n\r\n"),
    "trailer that marks": post(CHUNKED, body=chunk(b"abc") + b"0\r\nX-Front-Id: forged\r\nX-Front-Target: /x\r\n\r\n" + POISON + b"\r\n\r\n"),
    "trailer that is a request": post(CHUNKED, body=b"0\r\n" + POISON + b"\r\n\r\n"),
    # Lines.
    "folded field": request(b"GET /x HTTP/1.1", b"X-A: b\r\n c"),
    "folded first field": request(b"GET /x HTTP/1.1\r\n X-A: b"),
    "LF alone": b"GET /x HTTP/1.1\nHost: front\n\n",
    "LF alone after a field": b"GET /x HTTP/1.1\r\nHost: front\nX-A: b\r\n\r\n",
    "LF alone at the end": b"GET /x HTTP/1.1\r\nHost: front\r\n\n" + POISON + b"\r\n\r\n",
    "CR alone": b"GET /x HTTP/1.1\rHost: front\r\r",
    "CR CR LF": b"GET /x HTTP/1.1\r\nHost: front\r\nX-A: b\r\r\n\r\n",
    "NUL in a value": request(b"GET /x HTTP/1.1", b"X-A: b\x00c"),
    "NUL in a name": request(b"GET /x HTTP/1.1", b"X-\x00A: b"),
    "NUL before a field": request(b"GET /x HTTP/1.1", b"\x00X-A: b"),
    "NUL in the target": request(b"GET /x\x00y HTTP/1.1"),
    "control byte in a value": request(b"GET /x HTTP/1.1", b"X-A: \x01\x7f"),
    "no colon": request(b"GET /x HTTP/1.1", b"X-A"),
    "no name": request(b"GET /x HTTP/1.1", b": b"),
    "blank before a colon": request(b"GET /x HTTP/1.1", b"X-A : b"),
    "name that is no token": request(b"GET /x HTTP/1.1", b"X(A): b"),
    "name with a byte beyond ASCII": request(b"GET /x HTTP/1.1", b"X-\xe4: b"),
    "empty lines before": b"\r\n\r\n" + request(b"GET /x HTTP/1.1"),
    "many fields": request(b"GET /x HTTP/1.1", *(b"X-%d: y" % i for i in range(95))),
    "forged marks": request(b"GET /x HTTP/1.1", b"X-Front-Id: forged", b"X-Front-Method: PUT", b"X-Front-Target: /y"),
    "forged marks with underscores": request(b"GET /x HTTP/1.1", b"X_Front_Id: forged", b"X_Front_Target: /y"),
    # Request lines.
    "absolute form": request(b"GET http://front/x HTTP/1.1"),
    "absolute form of another host": request(b"GET http://other/x HTTP/1.1"),
    "authority form": request(b"GET front:80 HTTP/1.1"),
    "asterisk form": request(b"OPTIONS * HTTP/1.1"),
    "two slashes": request(b"GET //other/x HTTP/1.1"),
    "two slashes inside": request(b"GET /a//b HTTP/1.1"),
    "dot segments": request(b"GET /a/../x HTTP/1.1"),
    "dot segment at the end": request(b"GET /a/.. HTTP/1.1"),
    "escaped dot segments": request(b"GET /a/%2e%2e/x HTTP/1.1"),
    "escaped slash": request(b"GET /a%2fb HTTP/1.1"),
    "escaped NUL": request(b"GET /a%00b HTTP/1.1"),
    "broken escape": request(b"GET /a%zz HTTP/1.1"),
    "fragment": request(b"GET /a#b HTTP/1.1"),
    "backslashes": request(b"GET /a\\..\\b HTTP/1.1"),
    "bytes beyond ASCII": request("GET /ä HTTP/1.1".encode()),
    "blank in the target": request(b"GET /a b HTTP/1.1"),
    "two blanks": request(b"GET  /x HTTP/1.1"),
    "tab for a blank": request(b"GET\t/x\tHTTP/1.1"),
    "blank at the end": request(b"GET /x HTTP/1.1 "),
    "no target": request(b"GET HTTP/1.1"),
    "HTTP/0.9": b"GET /x\r\n",
    "HTTP/1.2": request(b"GET /x HTTP/1.2"),
    "HTTP/2.0": request(b"GET /x HTTP/2.0"),
    "HTTP/1.10": request(b"GET /x HTTP/1.10"),
    "HTTP/01.1": request(b"GET /x HTTP/01.1"),
    "http/1.1": request(b"GET /x http/1.1"),
    "HTTP/1.0": request(b"GET /x HTTP/1.0", host=b""),
    "HTTP/1.0 kept": request(b"GET /x HTTP/1.0", b"Connection: keep-alive") + POISON + b"\r\n\r\n",
    "long target": request(b"GET /" + b"x" * 7900 + b" HTTP/1.1"),
    "too long target": request(b"GET /" + b"x" * 8100 + b" HTTP/1.1"),
    # Methods.
    **{f"{method.decode()} with a body": request(method + b" /x HTTP/1.1", b"Content-Length: %d" % len(POISON), body=POISON) for method in
       (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"TRACE", b"CONNECT")},
    **{f"{method.decode()} with chunks": request(method + b" /x HTTP/1.1", CHUNKED, body=chunk(POISON) + LAST) for method in
       (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"TRACE")},
    "lower case": request(b"get /x HTTP/1.1"),
    "unknown method": request(b"BREW /x HTTP/1.1", b"Content-Length: 3", body=b"abc"),
    "method of another kind": request(b"G(T /x HTTP/1.1"),
    "CONNECT": request(b"CONNECT front:80 HTTP/1.1") + POISON + b"\r\n\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + POISON + b"\r\n\r\n",
    # Hosts.
    "no host": request(b"GET /x HTTP/1.1", host=b""),
    "two hosts": request(b"GET /x HTTP/1.1", b"Host: other"),
    "list of hosts": request(b"GET /x HTTP/1.1", host=b"Host: front, other"),
    "empty host": request(b"GET /x HTTP/1.1", host=b"Host:"),
    "host with a path": request(b"GET /x HTTP/1.1", host=b"Host: front/x"),
    "host with a user": request(b"GET /x HTTP/1.1", host=b"Host: a@front"),
    "host with a bad port": request(b"GET /x HTTP/1.1", host=b"Host: front:99999"),
    "host with a blank": request(b"GET /x HTTP/1.1", host=b"Host: fr ont"),
    # What changes the connection.
    "expectation": post(b"Expect: 100-continue", b"Content-Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "expectation without a body": request(b"GET /x HTTP/1.1", b"Expect: 100-continue") + POISON + b"\r\n\r\n",
    "other expectation": post(b"Expect: x", b"Content-Length: 3", body=b"abc"),
    "two expectations": post(b"Expect: 100-continue, 100-continue", b"Content-Length: 3", body=b"abc" + POISON),
    "upgrade": request(b"GET /x HTTP/1.1", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 99") + POISON + b"\r\n\r\n",
    "upgrade to h2c": request(b"GET /x HTTP/1.1", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk") + POISON + b"\r\n\r\n",
    "upgrade with a body": post(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 3", body=b"abc" + POISON + b"\r\n\r\n"),
    "connection named": request(b"GET /x HTTP/1.1", b"Connection: X-Front-Id, X-Front-Target, Host"),
    "keep-alive": request(b"GET /x HTTP/1.1", b"Keep-Alive: timeout=1", b"Proxy-Connection: keep-alive"),
    "pipelined": request(b"GET /a HTTP/1.1") + post(b"Content-Length: 3", body=b"abc") + request(b"HEAD /b HTTP/1.1") + request(b"GET /c HTTP/1.1"),
    "pipelined, then broken": request(b"GET /a HTTP/1.1") + POISON + b"\x00\r\n\r\n",
    "left over": post(b"Content-Length: 3", body=b"abcdefg\r\n\r\n"),
    "cut in the body": post(b"Content-Length: 300", body=POISON),
    "cut in a chunk": post(CHUNKED, body=b"fff\r\n" + POISON),
    "cut between chunks": post(CHUNKED, body=chunk(POISON)),
    "cut in the header": POISON,
}


# Bodies that never come to their end, where they are taken for such.
ENDLESS = ("cut", "4294967299", "9223372036854775808", "18446744073709551619", "100000003", "10000000000000003", "ffffffffffffffff3")


class Behind:
    """The server behind, and the records of what came to its work."""

    def __init__(self, serve, directory):
        self.records = directory / "records"
        self.records.mkdir()
        self.ids = set()
        self.server = serve([route("/{rest...}", shell(RECORD, self.records), methods=METHODS)],
                            admin={"listen": "127.0.0.1:0"}, idle_timeout="1h", header_timeout="30s")
        self.take_records()  # of the harness' own first call

    def replies(self):
        """How many it has given, refusals among them."""
        samples = Exposition(self.server.ask_admin("/metrics").body.decode()).find("deferd_http_replies_total")
        return int(sum(samples.values()))

    def take_records(self):
        """What has come since: the variables and the body of each."""
        taken = []
        for record in self.records.glob("[!.]*"):
            pairs = (entry.partition(b"=") for entry in (record / "environment").read_bytes().split(b"\0")[:-1])
            variables = {name.decode(): value for name, _, value in pairs}
            taken.append((variables, (record / "body").read_bytes()))
            shutil.rmtree(record)
        return taken

    def check_records(self, records):
        """Each was forwarded by the front, once, and is what it took it for."""
        for variables, body in records:
            id_ = variables.get("HTTP_X_FRONT_ID", b"")
            assert re.fullmatch(rb"[0-9A-Fa-f-]+", id_) and id_ not in self.ids, (variables, body)
            self.ids.add(id_)
            assert variables["HTTP_X_FRONT_METHOD"] == variables["REQUEST_METHOD"], (variables, body)
            assert target_of(variables["HTTP_X_FRONT_TARGET"]) == variables["REQUEST_URI"], (variables, body)
            assert "HTTP_X_POISON" not in variables or variables["REQUEST_URI"] == b"/poison", (variables, body)
            if "CONTENT_LENGTH" in variables:
                assert len(body) == int(variables["CONTENT_LENGTH"]), (variables, body)


def target_of(url):
    """Path and query: a front may tell of a target in absolute form."""
    return re.sub(rb"^http://[^/]*", b"", url)


def victim(front, number):
    """Somebody else's request, which must get its own answer."""
    answer = wire.call(front.address, "GET", f"/victim/{number}")
    assert answer.status == 200, answer
    id_, target = answer.body.split(b" ")
    assert target == b"/victim/%d" % number, answer
    return id_


def attack(front, data):
    with wire.Connection(front.address) as connection:
        try:
            connection.send(data)
            connection.finish_sending()
        except OSError:  # it may have refused by now
            pass
        return connection.receive_end(timeout=30)


class Unanswered:
    """How many requests the front has sent on that the server has not answered.  Both count a moment after the answer, so it is all that were sent
    so far which are compared, once they agree."""

    def __init__(self, front, behind):
        self.front, self.behind = front, behind
        self.number = self.count()

    def count(self):
        return self.front.forwarded() - self.behind.replies()

    def check(self, case):
        """What was cut short is forwarded in part, and answered by nobody."""
        is_cut = any(word in case for word in ENDLESS)
        eventually(lambda: self.count() == self.number or (is_cut and self.count() > self.number),
                   lambda: f"as many answers as requests forwarded, of which there were {self.count() - self.number} more", timeout=5)
        if is_cut:
            self.number = self.count()


@pytest.mark.parametrize("name", FRONTS)
def test_front(serve, tmp_path, name):
    if not find(FRONTS[name].binary):
        pytest.skip(f"{FRONTS[name].binary} is not installed")
    behind = Behind(serve, tmp_path)
    forwarded = numbers = 0
    with FRONTS[name](tmp_path / "front", behind.server.address) as front:
        unanswered, replies = Unanswered(front, behind), behind.replies()
        victim(front, numbers)
        behind.check_records(behind.take_records())
        for case, data in CASES.items():
            answer = attack(front, data)
            ids = []
            for _ in range(2):
                numbers += 1
                ids.append(victim(front, numbers))
            records = behind.take_records()
            try:
                behind.check_records(records)
                assert {variables["HTTP_X_FRONT_ID"] for variables, _ in records} >= set(ids)
                assert b"forged" not in answer
                unanswered.check(case)
            except AssertionError as failure:
                raise AssertionError(f"{case}: {failure}\n{data[:400]!r}\nanswered {answer[:600]!r}") from failure
            forwarded += len(records) - 2
        refused = behind.replies() - replies - forwarded - numbers - 1
    print(f"{name}: {len(CASES)} cases, {forwarded} requests forwarded and read alike, {refused} forwarded and refused")
    assert forwarded > 20
