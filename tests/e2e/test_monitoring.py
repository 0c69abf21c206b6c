"""scripts/monitoring: alerts and dashboard, tried with Prometheus on a server that has every kind of work to do."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import tomllib
import urllib.parse
import urllib.request

import pytest

import wire
from harness import ROOT, echo, eventually, job, route, shell

MONITORING = ROOT / "scripts/monitoring"
ALERT = re.compile(r"(?m)^      - alert: (\w+)$")
METRIC = re.compile(r"\b(?:deferd|process)_[a-z_]+\b")
PATIENCE = 60  # seconds for Prometheus to start and to scrape twice on a busy machine

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="prometheus is not installed")


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_hold():
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_each_alert_is_tested_and_in_the_manual():
    alerts = ALERT.findall((MONITORING / "alerts.yml").read_text())
    assert alerts and len(set(alerts)) == len(alerts)
    assert set(re.findall(r"alertname: (\w+)\n", (MONITORING / "alerts_test.yml").read_text())) == set(alerts)
    manual = (ROOT / "server/deferd.8").read_text()
    paragraphs = re.findall(r"(?m)^\.It Li (Deferd\w+)", manual.partition(".Ss Alerts\n")[2].partition("\n.Ss ")[0])
    assert sorted(paragraphs) == sorted(alerts)
    for alert in alerts:
        assert f"manual: deferd(8), Alerts, {alert}\n" in (MONITORING / "alerts.yml").read_text()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Prometheus:
    """A real one, which scrapes one server each second."""

    def __init__(self, directory, target):
        directory.mkdir()
        config = directory / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "deferd", "static_configs": [{"targets": [target]}]}]}))
        self.address = f"127.0.0.1:{free_port()}"
        self.log = open(directory / "log", "w+b")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data", f"--web.listen-address={self.address}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def query(self, expression):
        """The values of an expression now; None while it is not ready."""
        url = f"http://{self.address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            assert error.code == 503, f"{expression}: {error.read().decode()}"
        except OSError:
            assert self.process.poll() is None, "prometheus has ended"
        return None

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@contextlib.contextmanager
def busy(server, calls):
    """Calls that come until the end."""
    stop = threading.Event()

    def load(target, body):
        while not stop.wait(0.02):
            wire.call(server.address, "POST", target, body, {"Content-Type": "application/json"})

    threads = [threading.Thread(target=load, args=call) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def expressions():
    """Every expression of the dashboard, as Grafana asks it for all instances and routes."""
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    for panel in panels:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$instance", ".*").replace("$route", ".*").replace("$__rate_interval", "10s")
            assert "$" not in expression, expression
            yield panel["title"], expression


def test_expressions_have_values(serve, gate, tmp_path):
    """Each query of the dashboard and each metric of an alert is one that a busy server has."""
    server = serve([echo(), route("/fails", shell("exit 1")), job("/held", gate, concurrency=1),
                    {"path": "/items", "collection": {"name": "items"}}, {"path": "/gone", "upstream": {"url": "http://127.0.0.1:1"}}],
                   admin={"listen": "127.0.0.1:0"}, state=str(tmp_path / "deferd.db"), workers=2)
    server.kept_descriptors = 2 * 8
    prometheus = Prometheus(tmp_path / "prometheus", server.admin)
    try:
        with busy(server, [("/echo", b"x"), ("/echo?async=true", b"x"), ("/fails", b""), ("/items", b"{}"), ("/gone", b"")]):
            for title, expression in expressions():
                eventually(lambda query=expression: prometheus.query(query), f"{title}: {expression}", PATIENCE)
            names = set(METRIC.findall((MONITORING / "alerts.yml").read_text()))
            assert "deferd_store_healthy" in names
            for name in names:
                eventually(lambda query=name: prometheus.query(query), name, PATIENCE)
            assert prometheus.query('up{job="deferd"} == 1')
    finally:
        prometheus.close()


def test_the_dashboard_shows_every_metric(serve):
    """A metric that is in no panel would be found by nobody."""
    server = serve([echo(), {"path": "/gone", "upstream": {"url": "http://127.0.0.1:1"}}], admin={"listen": "127.0.0.1:0"})
    families = set(re.findall(r"(?m)^# TYPE (\S+) ", server.ask_admin("/metrics").body.decode()))
    shown = "\n".join(expression for _, expression in expressions())
    assert {name for name in families if name not in shown} <= {"deferd_loop_lag_seconds"}


def test_the_log_example_can_be_read():
    parsed = tomllib.loads((MONITORING / "vector.toml").read_text())
    assert parsed["sources"]["journal"]["include_units"] == ["deferd.service"]
    assert set(parsed["sinks"]["out"]["inputs"]) <= set(parsed["transforms"])
