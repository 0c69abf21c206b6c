"""One table of what several parts have measured and what is wanted of it, out of the lines that print_table leaves.

usage: summary.py LINES [MARKDOWN]     LINES: the file of those; MARKDOWN: a file for the same as Markdown"""
import json
import sys
from pathlib import Path

from measure import print_table

HEAD = ["", "figure", "wanted", "met", "p99 ratio", "a second", "CPU us", "spread"]


def first(row, *names):
    """The first of those columns that says something."""
    return next((str(row[name]) for name in names if row.get(name) not in (None, "")), "")


def is_met(figure, row):
    value = float(figure.rstrip(" %"))
    if row.get("wanted") not in (None, ""):
        return value >= float(row["wanted"])
    return value <= float(str(row["at most"]).rstrip(" %"))


def summarise(tables):
    for table in tables:
        for row in table["rows"]:
            wanted, most = first(row, "wanted"), first(row, "at most")
            if not wanted and not most:
                continue
            figure = first(row, "ratio", "", "MiB", "KiB each", "of a poll's CPU")
            yield [f"{table['part']}: {table['title']}: {row['what']}", figure, f"at least {wanted}" if wanted else f"at most {most}",
                   "yes" if is_met(figure, row) else "no", first(row, "p99 ratio"), first(row, "requests/s", "a second", "calls/s", "polls/s"),
                   first(row, "CPU us each"), first(row, "spread")]


def main():
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    rows = list(summarise(json.loads(line) for line in lines))
    print_table(HEAD, rows)
    if len(sys.argv) > 2:
        lines = ["| " + " | ".join(row) + " |" for row in [["what", *HEAD[1:]], ["---"] * len(HEAD), *rows]]
        Path(sys.argv[2]).write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
