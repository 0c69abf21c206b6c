"""Two and more changes of one resource while the first is still PENDING, with an on_change that echoes the resource it was given.

Later changes stay.  The members after each step are computed here by RFC 7396, and each read of the resource must show them, whatever
an on_change answers afterwards.  Then the server is killed, drained, or left alone while changes are pending.
"""
import copy
import http.server
import json
import threading
import time
import uuid

from ask import ask
from journal import Journal
from server import Server, kill_marked, wait_for

LONGEST_S = 0.5
JSON = {"Content-Type": "application/json"}
OWN = {"id", "status", "action", "version", "created_at", "updated_at", "status_message", "links", "serial"}

# Steps of a story: a method and its document.  A list of steps is sent at once, on a connection each; their order does not matter.
# {"If-Match": True} beside it sends the version that the last answer told.
STORIES = {
    "patch, patch of one member": [("POST", {"v": 1}), ("PATCH", {"v": 2}), ("PATCH", {"v": 3})],
    "post, put at once": [("POST", {"v": 1, "a": 1}), ("PUT", {"v": 2, "b": 1})],
    "post, patch at once": [("POST", {"v": 1, "a": 1}), ("PATCH", {"v": 2})],
    "two members at one moment": [("POST", {"v": 1, "a": 0, "b": 0}), [("PATCH", {"a": 1}), ("PATCH", {"b": 1})]],
    "four members at one moment": [("POST", {"v": 1}), [("PATCH", {name: 1}) for name in "abcd"], ("PATCH", {"v": 2})],
    "put, put with If-Match": [("POST", {"v": 1}), ("PUT", {"v": 2, "a": 1}, True), ("PUT", {"v": 3, "b": 1}, True)],
    "member to null": [("POST", {"v": 1, "a": 1}), ("PATCH", {"v": 2, "a": 2}), ("PATCH", {"a": None})],
    "null, then set": [("POST", {"v": 1, "a": 1}), ("PATCH", {"a": None}), ("PATCH", {"a": 5})],
    "nested objects": [("POST", {"v": 1, "n": {"a": 1}}), ("PATCH", {"n": {"b": 2}}), ("PATCH", {"n": {"a": None, "c": 3}})],
    "object for a number": [("POST", {"v": 1, "n": 1}), ("PATCH", {"n": {"a": 1}}), ("PATCH", {"n": 2})],
    "arrays": [("POST", {"v": 1, "list": [1]}), ("PATCH", {"list": [1, 2]}), ("PATCH", {"list": []})],
    "patch, put": [("POST", {"v": 1, "a": 1}), ("PATCH", {"v": 2, "b": 2}), ("PUT", {"v": 3})],
    "patch, delete": [("POST", {"v": 1}), ("PATCH", {"v": 2}), ("DELETE", None)],
}
WAYS = (("", {}), ("?async=true", {}), ("", {"Prefer": "respond-async"}))


def merge(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def apply(document, method, body):
    return merge(document, body) if method == "PATCH" else merge({}, body)


class Upstream(http.server.ThreadingHTTPServer):
    """An upstream as on_change: echoes the resource that it was given after a while."""

    daemon_threads = True

    def __init__(self, dice):
        self.calls = []
        self.dice = dice
        super().__init__(("127.0.0.1", 0), Echo)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def handle_error(self, request, client_address):
        """A server that was killed has left."""

    def end(self):
        self.shutdown()
        self.server_close()


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append(call)
        time.sleep(self.server.dice.uniform(0.1, LONGEST_S))
        body = json.dumps({**call["resource"], "serial": call["resource"].get("v")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_PATCH = do_DELETE = do_POST

    def log_message(self, *arguments):
        pass


def own_members(resource):
    return {name: value for name, value in resource.items() if name not in OWN}


class Story:
    def __init__(self, ledger, server, collection, name, dice):
        self.ledger = ledger
        self.server = server
        self.collection = collection
        self.name = name
        self.dice = dice
        self.path = None
        self.document = {}
        self.accepted = []  # what was accepted, as text
        self.sure = True  # every step was answered
        self.is_gone = False
        self.mark = uuid.uuid4().hex  # a member by which a list finds what was made

    def __str__(self):
        return f"{self.name} in {self.collection}: " + ", ".join(self.accepted)

    def tell(self):
        for step in STORIES[self.name]:
            if isinstance(step, list):
                self.send_at_once(step)
            else:
                self.send(*step)
                self.look("after that")
            if not self.sure:
                return

    def send_at_once(self, steps):
        threads = [threading.Thread(target=self.send, args=step) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.look("after that")

    def send(self, method, body, is_bound=False):
        query, fields = self.dice.choice(WAYS)
        if method in ("POST", "PUT"):
            body = {**body, "story": self.mark}
        target = (self.path or self.collection) + query
        if is_bound:
            fields = {**fields, "If-Match": ask(self.server.address, "GET", self.path).headers["ETag"]}
        answer = ask(self.server.address, method, target, None if body is None else json.dumps(body), {**JSON, **fields})
        self.ledger.count("answered")
        text = f"{method}{query} {'' if body is None else json.dumps(body)} ({answer.status})"
        if answer.status not in (201, 202, 204):
            self.ledger.fail("wrong answers", f"{self}: {text}: told {answer}")
            self.sure = False
            return
        self.ledger.count("accepted")
        self.accepted.append(text)
        if method == "POST":
            self.path = self.find_place(answer)
        self.is_gone = method == "DELETE"
        self.document = apply(self.document, method, body) if body is not None else self.document

    def find_place(self, answer):
        """The path of what was made: the 202 of a resource has it, others name an operation only, and a list shows it."""
        id_ = answer.json().get("id") if answer.body else None
        if id_:
            return f"{self.collection}/{id_}"
        resources = ask(self.server.address, "GET", f"{self.collection}?story={self.mark}").json()
        found = next(value for value in resources.values() if isinstance(value, list))
        return f"{self.collection}/{found[0]['id']}"

    def look(self, when):
        """Compares what is there with what was accepted, and answers it."""
        answer = ask(self.server.address, "GET", self.path)
        if answer.status == 404:
            if not self.is_gone:
                self.ledger.fail("lost", f"{self}: {when} found {answer}")
            return None
        found = answer.json()
        if self.sure and not self.is_gone and own_members(found) != self.document:
            self.ledger.fail("changed", f"{self}: {when} must have {json.dumps(self.document)}, "
                                        f"found {json.dumps(own_members(found))} {found['status']}")
            self.sure = False  # once is enough
        return found

    def is_settled(self, may_fail):
        """Looks once more; true when nothing is pending."""
        found = self.look("later")
        if found is None:
            return True
        if found["status"] == "PENDING":
            return False
        if self.is_gone and not may_fail:
            self.ledger.fail("lost", f"{self}: deleted, found {found['status']}")
        if found["status"] == "ERROR" and not may_fail:
            self.ledger.fail("wrong answers", f"{self}: ended as ERROR: {found.get('status_message')}")
        if found["status"] == "ACTIVE" and self.sure and not self.is_gone and found.get("serial") != self.document.get("v"):
            self.ledger.fail("changed", f"{self}: the last on_change answered serial {self.document.get('v')}, "
                                        f"found serial {found.get('serial')}")
        return True


def check_hooks(stories, calls, was_disturbed):
    """Each on_change is given its own change: the last one has all that was accepted."""
    for story in stories:
        given = [call for call in calls if call["resource"].get("id") == (story.path or "").rpartition("/")[2]]
        last = [call for call in given if call["action"] != "DELETE"]
        if not last or story.is_gone or was_disturbed:
            continue
        found = own_members(last[-1]["resource"])
        if found != story.document:
            story.ledger.fail("changed", f"{story}: the last on_change must be given {json.dumps(story.document)}, was given {json.dumps(found)}")


def check_once(ledger, calls):
    ops = [call["op"] for call in calls]
    for op in {op for op in ops if ops.count(op) > 1}:
        ledger.fail("begun twice", f"the on_change of operation {op} began {ops.count(op)} times")


def race_puts(ledger, address, collection):
    """Two clients replace a resource at one moment, synchronously: each answer has the value of its own request, and one of them stays."""
    made = ask(address, "POST", f"{collection}?async=false", '{"v": 0}', JSON)
    if made.status != 201:
        ledger.fail("wrong answers", f"POST {collection}?async=false: told {made}")
        return
    path = f"{collection}/{made.json()['id']}"
    told = {}

    def put(number):
        told[number] = ask(address, "PUT", f"{path}?async=false", json.dumps({"v": number}), JSON)

    threads = [threading.Thread(target=put, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ask(address, "GET", path).json()
    both = {number: f"{answer.status} v={answer.json().get('v')} version={answer.json().get('version')}" for number, answer in told.items()}
    for number, answer in told.items():
        if answer.status != 200 or answer.json()["v"] != number:
            ledger.fail("changed", f"synchronous PUTs of v=1 and v=2 to {collection}: the one of v={number} was told {both[number]}; all: {both}")
    last = max(told, key=lambda number: told[number].json().get("version", 0))
    if found["v"] != last and told[1].json().get("version") != told[2].json().get("version"):
        ledger.fail("changed", f"synchronous PUTs to {collection}: told {both}, found v={found['v']} version={found['version']}")


def disturb(server, dice):
    """Kills or drains it while changes are pending, in two rounds of three."""
    what = dice.randrange(3)
    if what == 0:
        return False
    time.sleep(dice.uniform(0, 0.4))
    server.kill() if what == 1 else server.drain()
    server.start()
    return True


def run(ledger, directory, dice):
    """All stories at once, in both collections."""
    journal, upstream = Journal(directory), Upstream(dice)
    routes = [{"path": f"/c/{name}", "style": "resource", "collection": {"name": name, "index": ["story"], "on_change": hook}}
              for name, hook in (("zones", journal.echo(LONGEST_S)),
                                 ("flags", {"upstream": {"url": f"http://127.0.0.1:{upstream.server_address[1]}/change"}}))]
    server = Server(ledger, directory, routes, workers=16).start()
    try:
        stories = [Story(ledger, server, collection, name, dice) for name in STORIES for collection in ("/c/zones", "/c/flags")]
        dice.shuffle(stories)
        tell_all(stories[:14])
        was_disturbed = disturb(server, dice)
        for story in stories[:14]:
            if story.path and not wait_for(lambda story=story: story.is_settled(was_disturbed), 60, 0.05):
                ledger.fail("lost", f"{story}: still PENDING 60 s later")
        check_hooks(stories[:14], journal.hook_calls() + upstream.calls, was_disturbed)
        check_once(ledger, journal.hook_calls())
        for collection in ("/c/zones", "/c/flags"):
            race_puts(ledger, server.address, collection)
        server.end()
    finally:
        server.abandon()
        upstream.end()
        kill_marked(journal.mark)


def tell_all(stories):
    threads = [threading.Thread(target=tell_one, args=(story,)) for story in stories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def tell_one(story):
    try:
        story.tell()
    except Exception as failure:
        story.ledger.fail("wrong answers", f"{story}: {type(failure).__name__}: {failure}")
        story.sure = False
