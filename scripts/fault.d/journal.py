"""The programs of the routes, and the journal in which each of them writes a line when it begins and when it ends.

A call carries a tag in its body, and a tag is sent for one operation only; so a tag that begins twice is work that was done twice.
"""
import json
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

# $1 journal, $2 mark, $3 name of the route.  The body is {"tag": TAG, "seconds": N}.
WORK = r"""
read -r body
[[ $body =~ \"tag\":\ *\"([^\"]*)\" ]] && tag=${BASH_REMATCH[1]}
[[ $body =~ \"seconds\":\ *([0-9.]+) ]] && seconds=${BASH_REMATCH[1]}
echo "begin $tag $DEFERD_OPERATION_ID $$ $3" >>"$1"
sleep "$seconds"
echo "end $tag $DEFERD_OPERATION_ID $$ $3" >>"$1"
printf '{"tag":"%s"}' "$tag"
"""

# An on_change that answers the resource that it was given, after a while.
ECHO = r"""
import json, os, sys, time, random
call = json.load(sys.stdin)
def note(what):
    line = json.dumps({"what": what, "op": os.environ.get("DEFERD_OPERATION_ID"), "action": call["action"], "resource": call["resource"]})
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (line + "\n").encode())
    os.close(file)
note("begin")
time.sleep(random.uniform(0.1, float(sys.argv[3])))
note("end")
json.dump({**call["resource"], "serial": call["resource"].get("v")}, sys.stdout)
"""

tags = iter(range(1, 1 << 60))
tag_lock = threading.Lock()


def new_tag(what="t"):
    with tag_lock:
        return f"{what}{next(tags)}"


def make_body(tag, seconds):
    return json.dumps({"tag": tag, "seconds": seconds}).encode() + b"\n"


class Journal:
    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        self.file = directory / "journal"
        self.hooks = directory / "hooks"
        self.file.touch()
        self.hooks.touch()
        self.mark = f"mark{uuid.uuid4().hex}"

    def program(self, name, script=WORK):
        return {"argv": ["/bin/bash", "-c", script, "bash", str(self.file), self.mark, name], "response_type": "application/json",
                "env": {"FAULT_MARK": self.mark}}

    def echo(self, longest):
        return {"program": {"argv": ["/usr/bin/python3", "-I", "-S", "-c", ECHO, str(self.hooks), self.mark, str(longest)],
                            "env": {"FAULT_MARK": self.mark}}}

    def note_life(self):
        """Called when a server is gone and with it all programs."""
        with open(self.file, "a") as file:
            file.write("life\n")

    def lines(self):
        return [line.split() for line in self.file.read_text().splitlines()]

    def begun(self):
        """How often each tag has begun."""
        return Counter(line[1] for line in self.lines() if line[0] == "begin")

    def wait_begun(self, tag, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.lines():
                if line[0] == "begin" and line[1] == tag:
                    return int(line[3])
            time.sleep(0.02)
        return None

    def hook_calls(self, what="begin"):
        calls = [json.loads(line) for line in self.hooks.read_text().splitlines()]
        return [call for call in calls if call["what"] == what]

    def most_at_once(self):
        """The largest number of programs of each route that ran beside each other."""
        running, most = Counter(), Counter()
        for line in self.lines():
            if line[0] == "life":
                running.clear()
                continue
            running[line[4]] += 1 if line[0] == "begin" else -1
            most[line[4]] = max(most[line[4]], running[line[4]])
        return most


def start_time(pid):
    """When a process was started, by the kernel's clock; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def is_alive(pid, started):
    return started is not None and start_time(pid) == started
