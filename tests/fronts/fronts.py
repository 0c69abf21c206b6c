"""Reverse proxies in front of the server.  Each marks what it forwards with what it has read, and tells how much it has forwarded."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

from harness import eventually

NGINX = """
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
	log_format forwarded '$upstream_addr';
	access_log {directory}/forwarded forwarded;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	client_header_timeout 5s;
	client_body_timeout 5s;
	{options}
	upstream behind {{ server {behind}; keepalive 1; }}
	server {{
		listen {address};
		location / {{
			proxy_pass http://behind;
			proxy_http_version 1.1;
			proxy_ignore_client_abort on;
			proxy_next_upstream off;
			proxy_set_header Connection "";
			proxy_set_header X-Front-Id $request_id;
			proxy_set_header X-Front-Method $request_method;
			proxy_set_header X-Front-Target $request_uri;
		}}
	}}
}}
"""

HAPROXY = """
global
	stats socket {directory}/stats mode 600 level admin
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 20s
	timeout http-request 5s
	{options}
frontend front
	bind {address}
	http-request set-header X-Front-Id %[uuid()]
	http-request set-header X-Front-Method %[method]
	http-request set-header X-Front-Target %[url]
	default_backend behind
backend behind
	http-reuse always
	retries 0
	server behind {behind}
"""

VARNISH = """
vcl 4.1;
backend behind {{ .host = "{host}"; .port = "{port}"; }}
sub vcl_recv {{
	set req.http.X-Front-Id = req.xid;
	set req.http.X-Front-Method = req.method;
	set req.http.X-Front-Target = req.url;
	return (pass);
}}
"""


def free_address():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % sock.getsockname()[1]


class Front:
    """A running proxy; ended with the with statement."""

    binary = None

    def __init__(self, directory, behind):
        self.directory = directory
        directory.mkdir(parents=True)
        self.behind = behind
        self.address = free_address()
        with open(directory / "log", "wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        eventually(self.accepts, self.log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def accepts(self):
        host, _, port = self.address.rpartition(":")
        with socket.socket() as sock:
            return sock.connect_ex((host, int(port))) == 0

    def write(self, name, template, **values):
        path = self.directory / name
        path.write_text(template.format(directory=self.directory, address=self.address, behind=self.behind, **values))
        return path

    def command(self):
        raise NotImplementedError

    def forwarded(self):
        """How many requests it has sent on so far."""
        raise NotImplementedError


class Nginx(Front):
    binary = "nginx"
    options = ""

    def command(self):
        file = self.write("nginx.conf", NGINX, options=self.options)
        return [find(self.binary), "-p", self.directory, "-c", file, "-e", self.directory / "error.log"]

    def forwarded(self):
        lines = (self.directory / "forwarded").read_text().splitlines()
        return sum(len(re.findall(r"[\w.:]+:\d+", line)) for line in lines)


class LenientNginx(Nginx):
    options = "ignore_invalid_headers off; underscores_in_headers on; merge_slashes off; proxy_request_buffering off;"


class Haproxy(Front):
    binary = "haproxy"
    options = ""

    def command(self):
        return [find(self.binary), "-db", "-f", self.write("haproxy.cfg", HAPROXY, options=self.options)]

    def accepts(self):
        """Its two sockets are there one after the other."""
        return (self.directory / "stats").exists() and super().accepts()

    def forwarded(self):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self.directory / "stats"))
            sock.sendall(b"show stat\n")
            rows = b"".join(iter(lambda: sock.recv(65536), b"")).decode().splitlines()
        names = rows[0].lstrip("# ").split(",")
        return next(int(row.split(",")[names.index("stot")]) for row in rows if row.startswith("behind,behind,"))


class LenientHaproxy(Haproxy):
    options = "option accept-invalid-http-request"


class Varnish(Front):
    binary = "varnishd"

    def command(self):
        host, _, port = self.behind.rpartition(":")
        file = self.write("front.vcl", VARNISH, host=host, port=port)
        return [find(self.binary), "-F", "-j", "none", "-n", self.directory / "v", "-a", self.address, "-f", file,
                "-s", "malloc,16m", "-p", "thread_pools=1", "-p", "timeout_idle=5"]

    def forwarded(self):
        """Connections that were taken for one, new or used before."""
        done = subprocess.run(["varnishstat", "-n", self.directory / "v", "-1", "-f", "MAIN.backend_conn", "-f",
                               "MAIN.backend_reuse"], capture_output=True, text=True, check=True)
        return sum(int(line.split()[1]) for line in done.stdout.splitlines())


FRONTS = {"nginx": Nginx, "nginx, lenient": LenientNginx, "haproxy": Haproxy, "haproxy, lenient": LenientHaproxy,
          "varnish": Varnish}


def find(name):
    """Where a program is, None if it is not installed; what is in sbin is not in everybody's path."""
    return shutil.which(name) or next((path for path in (f"/usr/sbin/{name}", f"/sbin/{name}") if Path(path).exists()), None)
