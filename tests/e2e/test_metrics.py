"""GET /metrics of the admin listener."""

import os
import shutil
import subprocess
import threading
import time
from collections import Counter

import pytest

import wire
from exposition import scrape
from harness import echo, eventually, job, route, shell
from styles import LOCATION, PREFER, STATUS, TOKEN

ADMIN = {"listen": "127.0.0.1:0"}


class Mix:
    """Calls in every style; counts what must be found in the metrics."""

    def __init__(self, server, gate):
        self.server, self.gate = server, gate
        self.replies, self.ends, self.bytes, self.started = Counter(), Counter(), 0, 0

    def count(self, response, method="GET"):
        self.replies[response.status] += 1
        self.bytes += len(response.body)
        return response

    def call(self, method, target, body=None, fields=()):
        return self.count(self.server.call(method, target, body, fields))

    def ended(self, path, style, state, times=1, started=True):
        self.ends[path, style, state] += times
        self.started += times if started else 0

    def run_sync(self):
        for _ in range(3):
            assert self.call("POST", "/echo", b"abc").body == b"abc"
        self.ended("/echo", "sync", "succeeded", 3)
        assert self.call("POST", "/fails", b"").status == 500
        self.ended("/fails", "sync", "failed")

    def run_async(self):
        for style, path, fields in ((LOCATION, "/echo?async=true", {}), (PREFER, "/echo", {"Prefer": "respond-async"}),
                                    (STATUS, "/status", {}), (TOKEN, "/token", {})):
            response = self.call("POST", path, b'{"n":1}', fields)
            id_ = style.check_accepted(self.server, response)
            eventually(lambda id_=id_: self.call("GET", f"/operations/{id_}").status == 200, "its end")
            self.ended(path.partition("?")[0], style.name, "succeeded")

    def run_cancelled(self):
        """One that runs, one that waits: cancelled both."""
        ids = [LOCATION.check_accepted(self.server, self.call("POST", "/held?async=true", b"")) for _ in range(2)]
        self.gate.wait_begun()
        now = scrape(self.server)
        assert now.get("deferd_operations", state="queued") == now.get("deferd_operations", state="running") == 1
        assert now.get("deferd_operations_outstanding") == 2 and now.get("deferd_pool_busy_threads") >= 1
        for id_ in reversed(ids):
            eventually(lambda id_=id_: self.call("DELETE", f"/operations/{id_}").status == 204, "the cancellation")
        self.ended("/held", "location", "cancelled", 1)
        self.ended("/held", "location", "cancelled", 1, started=False)

    def run_timed_out(self):
        assert self.call("POST", "/slow", b"").status == 504
        self.ended("/slow", "sync", "timed_out")

    def run_refused(self):
        assert self.call("GET", "/nowhere").status == 404
        assert self.call("GET", "/echo").status == 405
        with self.server.connect() as connection:
            connection.send(b"GET nowhere\r\n\r\n")
            data = connection.receive_end()
        assert data.startswith(b"HTTP/1.1 400 ")
        self.replies[400] += 1
        self.bytes += len(data.partition(b"\r\n\r\n")[2])


@pytest.fixture
def mixed(serve, gate):
    """A server that has had a mixed load, and what it was."""
    server = serve([echo(), job("/held", gate, concurrency=1), route("/fails", shell("exit 1")),
                    route("/slow", shell("exec sleep 1000"), run_timeout="50ms"),
                    echo("/status", style="status"), echo("/token", style="token")], admin=ADMIN)
    before = scrape(server)
    mix = Mix(server, gate)
    for part in (mix.run_sync, mix.run_async, mix.run_cancelled, mix.run_timed_out, mix.run_refused):
        part()
    return server, mix, before


def test_counters_add_up(mixed):
    server, mix, before = mixed
    after = scrape(server)
    for status in {*mix.replies, 404}:
        name = "deferd_http_replies_total"
        grown = after.sum(name, status=str(status)) - before.sum(name, status=str(status))
        assert grown == mix.replies[status], status
    assert after.sum("deferd_http_replies_total") - before.sum("deferd_http_replies_total") == mix.replies.total()
    name = "deferd_http_reply_body_bytes_total"
    assert after.get(name) - before.get(name) == mix.bytes
    found = {tuple(dict(labels)[name] for name in ("route", "style", "state")): value
             for labels, value in after.find("deferd_operations_ended_total").items()}
    assert found == dict(mix.ends)
    assert after.sum("deferd_operation_wait_seconds_count") == mix.ends.total()
    for path in {path for path, _, _ in mix.ends}:
        count = sum(count for (found, _, _), count in mix.ends.items() if found == path)
        assert after.get("deferd_operations_accepted_total", route=path) == count, path
    assert after.sum("deferd_operations_dropped_total") == after.sum("deferd_operations_refused_total") == 0
    assert after.sum("deferd_operation_run_seconds_count") == mix.started


def test_gauges_come_back(mixed):
    server, mix, before = mixed
    eventually(lambda: scrape(server).get("deferd_http_connections") == 0, "connections to be gone")
    after = scrape(server)
    for name in ("deferd_operations_outstanding", "deferd_queue_oldest_age_seconds", "deferd_pool_busy_threads",
                 "deferd_http_requests_held", "deferd_store_waiting"):
        assert after.get(name) == 0, name
    asynchronous = sum(count for (_, style, _), count in mix.ends.items() if style != "sync")
    assert after.get("deferd_operations", state="kept") == asynchronous
    assert after.get("deferd_retained_bytes") > 0
    # The connection that asks may be counted on one side only.
    assert abs(after.get("process_open_fds") - server.count_descriptors()) <= 1
    pages = int(open(f"/proc/{server.pid}/statm").read().split()[1])
    resident = pages * os.sysconf("SC_PAGESIZE")
    assert abs(after.get("process_resident_memory_bytes") - resident) < resident / 2


def test_histograms(mixed):
    """Buckets grow, the last is the count, and the sum is not less than the buckets say."""
    server, _, _ = mixed
    after = scrape(server)
    for name in (name for name, kind in after.types.items() if kind == "histogram"):
        counts = after.find(name + "_count")
        assert counts
        for labels, count in counts.items():
            buckets = sorted((float(dict(with_bound)["le"]), value)
                             for with_bound, value in after.find(name + "_bucket", **dict(labels)).items())
            values = [value for _, value in buckets]
            assert values == sorted(values) and values[-1] == count and buckets[-1][0] == float("inf")
    assert after.get("deferd_operation_run_seconds_sum", route="/slow") >= 0.05


def check_format(server):
    checked = subprocess.run(["promtool", "check", "metrics"], input=server.ask_admin("/metrics").body,
                             capture_output=True, timeout=60)
    assert checked.returncode == 0 and checked.stdout + checked.stderr == b"", checked.stderr.decode()


def test_format(mixed):
    """Prometheus' own tool has nothing to say: of every metric there is, with every kind of work, and under load."""
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed")
    server, _, _ = mixed
    check_format(server)


def test_format_under_load(serve, tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed")
    server = serve([echo(), {"path": '/odd/x', "program": {"argv": ["/bin/true"]}},
                    {"path": "/items", "collection": {"name": "items"}},
                    {"path": "/gone", "upstream": {"url": "http://127.0.0.1:1"}}],
                   admin=ADMIN, state=str(tmp_path / "deferd.db"), workers=2)
    server.kept_descriptors = 2 * 8
    stop = threading.Event()

    def load(target, body):
        while not stop.is_set():
            wire.call(server.address, "POST", target, body, {"Content-Type": "application/json"})

    threads = [threading.Thread(target=load, args=work) for work in (
        ("/echo?async=true", b"x"), ("/echo", b"x"), ("/items", b"{}"), ("/items?async=true", b"{}"), ("/gone", b""), ("/nowhere", b""))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            check_format(server)
            scrape(server)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_refusals_and_drops(serve, gate):
    """What is refused is counted by its reason; whose client leaves the queue is dropped, and accepted was all that ended or was dropped."""
    server = serve([job("/job", gate, concurrency=1, queue=1), job("/other", gate)], admin=ADMIN, capacity=3, workers=1)
    running = server.begin("POST", "/job", b"")
    gate.wait_begun()
    waiting = server.begin("POST", "/job", b"")
    eventually(lambda: scrape(server).get("deferd_route_waiting", route="/job") == 1)
    assert scrape(server).get("deferd_route_running", route="/job") == 1
    assert server.post("/job").status == 429
    third = server.begin("POST", "/other", b"")
    eventually(lambda: scrape(server).get("deferd_route_waiting", route="/other") == 1)
    assert server.post("/other").status == 503
    for connection in (waiting, third):
        connection.close()
    eventually(lambda: scrape(server).get("deferd_operations_outstanding") == 1)
    gate.open()
    assert running.receive("POST").status == 200
    now = scrape(server)
    refused = {dict(labels)["reason"]: value for labels, value in now.find("deferd_operations_refused_total").items()}
    assert refused == {"capacity": 1, "queue": 1, "draining": 0, "storage": 0}
    assert now.sum("deferd_operations_accepted_total") == 3
    assert now.sum("deferd_operations_dropped_total") == 2 and now.sum("deferd_operations_ended_total") == 1


def test_expired_are_counted(serve):
    server = serve([echo(keep="50ms")], admin=ADMIN)
    LOCATION.start(server, path="/echo")
    eventually(lambda: scrape(server).get("deferd_operations", state="expired") == 1)
    assert scrape(server).get("deferd_operations", state="kept") == 0


def test_names(mixed):
    """Counters end in _total, nothing else does, and what is ours says so."""
    server, _, _ = mixed
    for name, kind in scrape(server).types.items():
        assert (kind == "counter") == name.endswith("_total"), name
        assert name.startswith(("deferd_", "process_")), name


def test_store(serve, tmp_path):
    """What is written to disk is counted."""
    server = serve([echo()], state=str(tmp_path / "deferd.db"), admin=ADMIN)
    before = scrape(server)
    assert LOCATION.wait(server, LOCATION.start(server, path="/echo")).status == 200
    after = scrape(server)
    assert after.get("deferd_store_commit_seconds_count") == after.get("deferd_store_commits_total")
    for name in ("deferd_store_commits_total", "deferd_store_writes_total", "deferd_store_commit_seconds_sum"):
        assert after.get(name) > before.get(name), name
    assert after.get("deferd_store_healthy") == 1 and after.get("deferd_store_file_bytes") > 0


def test_without_calls(serve):
    """An idle server's exposition is whole, too; no turn of its loop took longer than it has lived."""
    began = time.monotonic()
    server = serve([echo()], admin=ADMIN)
    now = scrape(server)
    assert now.sum("deferd_operations_ended_total") == 0
    assert now.get("deferd_build_info") == 1
    assert 0 < now.get("deferd_loop_turn_max_seconds") < time.monotonic() - began
    for target in ("/metrics", "/healthz", "/readyz"):
        assert server.get(target).status == 404, "these are not for the public"


def test_upstreams_are_counted(serve):
    """Calls sent on, their failures, and that the upstream is left alone after a few; also after a reload there is one sample a route."""
    route = {"path": "/gone", "upstream": {"url": "http://127.0.0.1:1", "breaker": {"failures": 2, "pause": "1h"}}}
    server = serve([route], admin={"listen": "127.0.0.1:0"})
    server.kept_descriptors = 16 * 8  # what a thread that has called keeps
    for _ in range(4):
        assert server.post("/gone").status in (502, 503)
    text = server.ask_admin("/metrics").body.decode()
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("deferd_upstream_"))
    names = {name.partition("{")[0]: float(value) for name, value in samples.items()}
    assert len(names) == len(samples) == 5
    assert names["deferd_upstream_calls_total"] == names["deferd_upstream_failures_total"] == 2
    assert names["deferd_upstream_refused_total"] == 2 and names["deferd_upstream_breaker_open"] == 1
