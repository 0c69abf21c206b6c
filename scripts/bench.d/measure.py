"""What benchmarks share: the servers that they measure, pinned to the first core, wrk on the second, and tables of medians."""

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFERD = os.environ.get("DEFERD", str(ROOT / "build/server/deferd"))
SERVER_CORE, CLIENT_CORE = "0", "1"
# A round of which the host of a virtual machine has taken more says more of the host than of the servers, of their p99 above all.
STOLEN_SHARE = 0.01
READY = re.compile(rb"deferd: ready on 127\.0\.0\.1:(\d+)")
BODY = '{"ticketNumber":"125-2400000003","booking":"ABC123","issuedAt":"2024-05-01T12:00:00Z","total":"231.40"}'
ECHO = {"path": "/echo", "program": {"argv": ["/bin/cat"], "response_type": "application/json"}}
NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 4096; }}
http {{
	access_log off;
	server_tokens off;
	keepalive_requests 1000000000;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	{http}
	server {{
		listen 127.0.0.1:{port} backlog=4096;
		{server}
	}}
}}
"""


def pinned(core, *command):
    """The command on that core, where there is more than one."""
    return ["taskset", "-c", core, *command] if os.cpu_count() > 1 else list(command)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A process that answers on self.port, in a directory of its own; ended with the with statement."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.directory = Path(self.temporary.name)
        self.process = self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.temporary.cleanup()

    def proc(self, name):
        return Path(f"/proc/{self.process.pid}/{name}")

    def memory_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", self.proc("status").read_text())[1])

    def cpu_seconds(self):
        """What it has used by now, its threads and the programs that it has waited for included."""
        return sum(map(int, self.proc("stat").read_text().rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")

    def call(self, method, path, body=None, headers=None):
        """One call on a connection of its own: the response, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body


class Deferd(Server):
    def __init__(self, routes, core=SERVER_CORE, **settings):
        super().__init__()
        file = self.directory / "deferd.json"
        file.write_text(json.dumps({"listen": "127.0.0.1:0", "state": "memory", "routes": routes, **settings}))
        with open(self.directory / "log", "wb") as log:
            command = [DEFERD, "-c", str(file)]
            self.process = subprocess.Popen(command if core is None else pinned(core, *command),
                                            stdout=subprocess.PIPE, stderr=log)
        ready = READY.search(self.process.stdout.readline())
        if not ready:
            sys.exit((self.directory / "log").read_text())
        self.port = int(ready[1])

    def next_port(self):
        """The port of the next address that it says it listens on."""
        return int(re.search(rb":(\d+)$", self.process.stdout.readline())[1])

    def finish_operation(self, headers=None):
        """The path of an operation that has ended with BODY; wants the route ECHO."""
        accepted, _ = self.call("POST", "/echo?async=true", BODY, headers)
        path = "/operations/" + accepted.headers["Location"].rpartition("/")[2]
        response, body = self.call("GET", path, headers={"Prefer": "wait=30", **(headers or {})})
        assert response.status == 200 and body.decode() == BODY, (response.status, body)
        return path


class Nginx(Server):
    """nginx with one worker; server is what stands in its server block, http what stands before that."""

    def __init__(self, server=None, body=BODY, http="", core=SERVER_CORE):
        super().__init__()
        self.port = free_port()
        server = server or (f"location / {{ default_type application/json; add_header Cache-Control no-store; "
                            f"return 200 '{body}'; }}")
        file = self.directory / "nginx.conf"
        file.write_text(NGINX.format(directory=self.directory, port=self.port, server=server, http=http))
        command = pinned(core, "/usr/sbin/nginx", "-p", str(self.directory), "-c", str(file),
                         "-e", str(self.directory / "nginx.log"))
        self.process = subprocess.Popen(command)
        while True:
            try:
                return self.call("GET", "/") and None
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    sys.exit((self.directory / "nginx.log").read_text())


def wrk(url, seconds, connections=64, more=(), failures=False, core=CLIENT_CORE):
    """Requests a second, and the 99th percentile of the latency in milliseconds; every answer must be a good one, or a failure if that is meant.

    more: arguments of wrk.  core: where it runs; None: anywhere."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", *more, url]
    out = subprocess.run(pinned(core, *command) if core else command,
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if "Socket errors" in out or bool(failed) != failures:
        sys.exit(out)
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def stolen_seconds():
    """How long a host has kept its virtual processors from running so far (proc_stat(5))."""
    return int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / os.sysconf("SC_CLK_TCK")


def alternate_undisturbed(subjects, rounds, measure, more):
    """As alternate, with up to so many rounds more where the host disturbs: those count of which it has taken least, whatever they found.  Lists by
    name, and in words what was left out."""
    done = []
    for number in range(rounds + more + 1):
        began, stolen = time.monotonic(), stolen_seconds()
        results = {name: measure(subject) for name, subject in subjects.items()}
        share = (stolen_seconds() - stolen) / (time.monotonic() - began) / os.cpu_count()
        if number > 0:
            done.append((share, results))
        if sum(share <= STOLEN_SHARE for share, _ in done) == rounds:
            break
    counted = sorted(done, key=lambda one: one[0])[:rounds]
    told = f"the least disturbed of {len(done)}, of which the host took up to {counted[-1][0]:.1%}, " if len(done) > rounds else ""
    return {name: [results[name] for _, results in counted] for name in subjects}, told


def alternate(subjects, rounds, measure):
    """measure(subject) of each in turns, that many rounds after one that does not count: lists by name."""
    return alternate_undisturbed(subjects, rounds, measure, 0)[0]


def median_and_spread(values):
    """The median, and how far the least and the greatest are apart in percent of it."""
    median = statistics.median(values)
    return median, (max(values) - min(values)) / median * 100


def ratio_and_range(values, baseline):
    """The median of what one is to the other round by round, and the least and the greatest."""
    ratios = [value / base for value, base in zip(values, baseline)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


class Subject:
    """What wrk is pointed at.  baseline: the subject that it is compared with; wanted: the ratio that is hoped for."""

    def __init__(self, server, path, baseline=None, wanted=None, port=None, scheme="http", connections=64, more=(), failures=False):
        self.server = server
        self.url = f"{scheme}://127.0.0.1:{port or server.port}{path}"
        self.baseline = baseline
        self.wanted = wanted
        self.connections = connections
        self.more = more
        self.failures = failures

    def measure(self, seconds):
        """Requests a second, p99 in milliseconds, CPU microseconds of the server for each."""
        before = self.server.cpu_seconds()
        rate, p99 = wrk(self.url, seconds, self.connections, self.more, self.failures)
        return rate, p99, (self.server.cpu_seconds() - before) / (rate * seconds) * 1e6


def compare(title, subjects, rounds, seconds):
    """Measures the subjects in turns and prints them beside what they are compared with."""
    results, told = alternate_undisturbed(subjects, rounds, lambda subject: subject.measure(seconds), rounds)
    medians = {name: [median_and_spread([run[i] for run in runs]) for i in range(3)] for name, runs in results.items()}
    rows = []
    for name, ((rate, spread), (p99, _), (cpu_us, _)) in medians.items():
        base = medians.get(subjects[name].baseline)
        rows.append([name, f"{rate:.0f}", f"{spread:.0f} %", f"{p99:.2f}", f"{cpu_us:.2f}",
                     f"{rate / base[0][0]:.2f}" if base else "", subjects[name].wanted or "",
                     ratio_and_range([run[1] for run in results[name]], [run[1] for run in results[subjects[name].baseline]]) if base else "",
                     f"{cpu_us / base[2][0]:.2f}" if base else ""])
    print_table(["", "requests/s", "spread", "p99 ms", "CPU us each", "ratio", "wanted", "p99 ratio", "CPU ratio"], rows,
                title, f"{rounds} rounds of {seconds} s each, {told}medians; p99 ratio: of each round, with the least and the greatest")


def options_of(description, **more):
    """The options that most parts have, and more of the part: name=(type, default, help)."""
    parser = argparse.ArgumentParser(description=description)
    for name, (kind, default, text) in {"seconds": (int, 3, "of each measurement"), "rounds": (int, 3, ""), **more}.items():
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default, help=f"{text} ({default})")
    return parser.parse_args()


def make_certificate(directory):
    """The files of a certificate for localhost and of its key."""
    files = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


def compiled(name, directory, *arguments):
    """A yardstick that is written in C, built."""
    program = Path(directory) / name
    subprocess.run(["cc", "-O2", "-o", program, ROOT / f"scripts/bench.d/yardsticks/{name}.c", *arguments], check=True)
    return str(program)


# A route on which a call fails at once, without work: the quickest way to operations that are kept.
KEPT = {"path": "/kept", "schema": False, "program": {"argv": ["/bin/true"]}}
FILL = """
wrk.method = "POST"
wrk.body = "{}"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Prefer"] = "respond-async, wait=0"
local file, seen
function setup(thread) thread:set("name", NAME) end
function init() file, seen = io.open(name, "a"), 0 end
function response(status, headers)
	seen = seen + 1
	if status ~= 202 then os.exit(1) end
	if seen % 16 == 0 then file:write(headers["GW-Async-Location"], "\\n") end
	if seen % 16000 == 0 then file:flush() end
end
"""
RANDOM = """
local requests = {}
function init()
	for path in io.lines(NAME) do
		requests[#requests + 1] = wrk.format("GET", (path:gsub("/async/v1/requests/", "/operations/")))
	end
end
function request() return requests[math.random(#requests)] end
"""


def fill(server, count, connections=64):
    """Keeps at least that many more operations on the route KEPT.  The seconds that took, their number, and a script for wrk that reads some of
    them in any order."""
    ids = server.directory / "ids"
    script = server.directory / "fill.lua"
    script.write_text(FILL.replace("NAME", json.dumps(str(ids))))
    took = done = 0
    while done < count:
        seconds = max(1, min(20, int((count - done) / (done / took if done else 15000)) + 1))
        began = time.monotonic()
        out = subprocess.run(pinned(CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script),
                                    f"http://127.0.0.1:{server.port}/kept"), stdout=subprocess.PIPE, text=True, check=True).stdout
        took += time.monotonic() - began
        done += int(re.search(r"(\d+) requests in", out)[1])
    reader = server.directory / "random.lua"
    reader.write_text(RANDOM.replace("NAME", json.dumps(str(ids))))
    return took, done, reader


def metrics(port, *names):
    """Values of /metrics of the admin listener on that port, all of one time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return [float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1]) for name in names]


def print_table(head, rows, title=None, how=None):
    """Columns under their heads, numbers to the right, under a title and how that was measured; for programs also as a line of JSON, where the
    environment names a file."""
    if title:
        print(f"{title}; {how}" if how else title)
    if "BENCH_JSON" in os.environ:
        with open(os.environ["BENCH_JSON"], "a", encoding="utf-8") as file:
            print(json.dumps({"part": Path(sys.argv[0]).name, "title": title or head[0], "rows": [dict(zip(["what", *head[1:]], row)) for row in rows]}), file=file)
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())
