"""Prometheus' text format, as far as the tests of metrics need it: strict in what it takes."""

import re

SAMPLE = re.compile(r'([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.eE+-]+|\+Inf)\Z')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
SUFFIXES = ("_bucket", "_sum", "_count")


class Exposition:
    """Samples by name and labels; types by name."""

    def __init__(self, text):
        assert text.endswith("\n")
        self.types, self.samples = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in self.types, f"{name} twice"
                self.types[name] = kind
            elif not line.startswith("# HELP "):
                self._add(line)

    def _add(self, line):
        match = SAMPLE.match(line)
        assert match, f"no sample: {line!r}"
        name, labels, value = match.groups()
        family = name
        if name not in self.types:
            family = next((name[:-len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)), name)
            assert self.types.get(family) == "histogram", f"{name} has no type"
        key = (name, frozenset(LABEL.findall(labels or "")))
        assert key not in self.samples, f"{line!r} twice"
        self.samples[key] = float(value)

    def find(self, name, **labels):
        """Values of the samples of that name that have these labels, by all their labels."""
        wanted = set(labels.items())
        return {labels: value for (found, labels), value in self.samples.items() if found == name and wanted <= labels}

    def sum(self, name, **labels):
        return sum(self.find(name, **labels).values())

    def get(self, name, **labels):
        (value,) = self.find(name, **labels).values()
        return value


def scrape(server):
    """The metrics of a server with an admin listener."""
    response = server.ask_admin("/metrics")
    assert response.status == 200
    assert response.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    return Exposition(response.body.decode())
