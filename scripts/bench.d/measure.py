"""What benchmarks share: the servers that they measure, pinned to the first core, wrk on the second, and tables of medians."""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFERD = os.environ.get("DEFERD", str(ROOT / "build/server/deferd"))
SERVER_CORE, CLIENT_CORE = "0", "1"
READY = re.compile(rb"deferd: ready on 127\.0\.0\.1:(\d+)")
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


class Nginx(Server):
    """nginx with one worker; server is what stands in its server block, http what stands before that."""

    def __init__(self, server, http="", core=SERVER_CORE):
        super().__init__()
        self.port = free_port()
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


def wrk(url, seconds, connections=64):
    """Requests a second, and the 99th percentile of the latency in milliseconds; every answer must be a good one."""
    out = subprocess.run(pinned(CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url),
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def alternate(subjects, rounds, measure):
    """measure(subject) of each in turns, that many rounds after one that does not count: lists by name."""
    results = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            result = measure(subject)
            if number > 0:
                results[name].append(result)
    return results


def median_and_spread(values):
    """The median, and how far the least and the greatest are apart in percent of it."""
    median = statistics.median(values)
    return median, (max(values) - min(values)) / median * 100


def print_table(head, rows):
    """Columns under their heads, numbers to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())
