#!/usr/bin/python3
"""Packs a directory as an image in OCI layout, in one tar archive with one layer.  The same directory makes the same archive.

usage: oci.py DIRECTORY ARCHIVE VERSION ARCHITECTURE SECONDS      SECONDS is the time that all files get
"""
import datetime
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

USER = 10001  # who serves; the state directory is that user's
STATE = "var/lib/deferd"
MEDIA = "application/vnd.oci.image"


def owned(entry, seconds):
    """The entry as it is in the image, whoever has made the directory."""
    entry.mtime = seconds
    entry.uid = entry.gid = USER if entry.name == STATE else 0
    entry.uname = entry.gname = ""
    return entry


def pack_layer(directory, seconds):
    """The uncompressed layer: every file, sorted, without its device nodes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as layer:
        for root, directories, files in os.walk(directory):
            directories.sort()
            links = [name for name in directories if os.path.islink(os.path.join(root, name))]
            if root != directory:
                name = os.path.relpath(root, directory)
                layer.addfile(owned(layer.gettarinfo(root, name), seconds))
            for file in sorted(files + links):
                path = os.path.join(root, file)
                entry = owned(layer.gettarinfo(path, os.path.relpath(path, directory)), seconds)
                if entry.isreg():
                    with open(path, "rb") as content:
                        layer.addfile(entry, content)
                elif entry.issym() or entry.islnk():
                    layer.addfile(entry)
    return packed.getvalue()


def settings(version, architecture, created, layer_digest):
    """What a runtime is told.  Healthcheck is read by those that know it; an orchestrator has its own probes."""
    return {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "ExposedPorts": {"8580/tcp": {}},
            "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            "Entrypoint": ["/usr/sbin/deferd"],
            "Cmd": ["-c", "/etc/deferd/deferd.json"],
            "Volumes": {f"/{STATE}": {}},
            "WorkingDir": f"/{STATE}",
            "StopSignal": "SIGTERM",
            "Healthcheck": {
                "Test": ["CMD", "curl", "-fsS", "-o", "/dev/null", "--max-time", "5", "http://127.0.0.1:8581/healthz"],
                "Interval": 10 * 10**9, "Timeout": 6 * 10**9, "StartPeriod": 10 * 10**9, "Retries": 3,
            },
            "Labels": {"org.opencontainers.image.title": "deferd", "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "MIT"},
        },
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [{"created": created, "created_by": "scripts/package oci"}],
    }


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """The archive that is written: blobs named by their digests, and the index."""

    def __init__(self, archive, seconds):
        self.archive, self.seconds = archive, seconds

    def add(self, name, data):
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(data), self.seconds, 0o644
        self.archive.addfile(entry, io.BytesIO(data))

    def add_blob(self, data, kind):
        self.add("blobs/sha256/" + digest(data).partition(":")[2], data)
        return {"mediaType": f"{MEDIA}.{kind}", "digest": digest(data), "size": len(data)}

    def add_json(self, value, kind):
        return self.add_blob(json.dumps(value, separators=(",", ":")).encode(), kind)


def main():
    directory, path, version, architecture, seconds = sys.argv[1:]
    seconds = int(seconds)
    created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = pack_layer(directory, seconds)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        layout = Layout(archive, seconds)
        layer = layout.add_blob(gzip.compress(plain, mtime=0), "layer.v1.tar+gzip")
        config = layout.add_json(settings(version, architecture, created, digest(plain)), "config.v1+json")
        manifest = layout.add_json({"schemaVersion": 2, "mediaType": f"{MEDIA}.manifest.v1+json", "config": config, "layers": [layer]},
                                   "manifest.v1+json")
        manifest["annotations"] = {"org.opencontainers.image.ref.name": version}
        layout.add("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())
        layout.add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


main()
