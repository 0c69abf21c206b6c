"""kill -9 while programs of synchronous and asynchronous calls run, with children that leave their process group, session and environment.

Nothing of them is there once the next server serves, nothing begins again, and no program ever runs beside one of the dead server.
"""
import threading
import time

import styles
from ask import Call, HalfAnswer, NoAnswer, ask
from journal import WORK, Journal, make_body, new_tag
from server import Server, find_marked, kill_marked, wait_for

LASTS_S = 60
GONE_S = 0.5  # a process that was killed may take so long to go

# Processes that a program starts beside itself; $2 is the mark.
CHILDREN = {
    "alone": "",
    "child": "sleep 61 &\n",
    "session": "setsid sleep 62 &\n",
    "bare": "setsid env -i /bin/bash -c 'exec -a \"sleep-$0\" sleep 63' \"$2\" &\n",
}

# Before a program begins it looks for others of its route that the journal names and that are still there.
LOOK = r"""
while read -r what tag op pid route; do
	[[ $what = begin && $route = "$3" && $({ tr -d '\0' </proc/$pid/cmdline; } 2>/dev/null) = *"$2"* ]] && echo "beside $tag $op $pid $3" >>"$1"
done <"$1"
"""


def make_routes(journal):
    routes = []
    for name, child in CHILDREN.items():
        routes.append({"path": f"/s/{name}", "program": journal.program(name, LOOK + child + WORK), "concurrency": 1})
    return routes


class Caller(threading.Thread):
    """Sends one call and keeps its answer, or how its connection ended."""

    def __init__(self, server, path, query, fields=None, seconds=LASTS_S):
        super().__init__(daemon=True)
        self.tag = new_tag()
        self.server = server
        self.call = Call("POST", path + query, make_body(self.tag, seconds), fields, f"tag {self.tag}")
        self.ending = None
        self.start()

    def run(self):
        try:
            self.ending = self.call.send(self.server.address)
            self.server.ledger.count("answered")
        except (NoAnswer, HalfAnswer) as failure:
            self.ending = failure


def make_callers(server, dice):
    """One running call of each route, most of them synchronous."""
    callers = []
    for name in CHILDREN:
        is_async = dice.random() < 0.3
        fields = {"Idempotency-Key": new_tag("key")} if dice.random() < 0.3 else {}
        callers.append(Caller(server, f"/s/{name}", "?async=true" if is_async else "", fields))
    return callers


def check_gone(ledger, mark, callers, begun_pids):
    """Nothing that has the mark may be there; programs that are children of the new server cannot be, for nothing was asked of it."""
    wait_for(lambda: not find_marked(mark), GONE_S)
    left = find_marked(mark)
    known = {pid: caller for caller, pid in zip(callers, begun_pids)}
    for pid, text in left.items():
        of = f"the program of {known[pid].call}" if pid in known else "a child of a program"
        ledger.fail("left running", f"kill -9 and a new start, which serves; still there {GONE_S} s later: {of}: {text}")


def check_next(ledger, server, journal):
    """The next call of each route runs alone."""
    for name in CHILDREN:
        answer = ask(server.address, "POST", f"/s/{name}", make_body(new_tag(), 0.01))
        if answer.status != 200:
            ledger.fail("wrong answers", f"POST /s/{name} after kill -9 and a new start: told {answer}")
    for line in journal.lines():
        if line[0] == "beside":
            ledger.fail("left running", f"route /s/{line[4]}, concurrency 1: the program of tag {line[1]} (process {line[3]}) of the dead "
                                        "server still ran when the next one began")


def check_accepted(ledger, server, callers):
    for caller in callers:
        if isinstance(caller.ending, (NoAnswer, HalfAnswer)) or caller.ending is None or caller.ending.status != 202:
            continue
        ledger.count("accepted")
        id_ = styles.read_any_id(caller.ending)
        answer = wait_for(lambda id_=id_: find_end(server, id_), 30, 0.05)
        if not answer or answer.problem() != "interrupted":
            ledger.fail("lost", f"{caller.call}: told 202, ran when the server was killed, must be interrupted, found {answer}")


def find_end(server, id_):
    answer = ask(server.address, "GET", f"/operations/{id_}")
    return None if answer.status == 202 else answer


def run(ledger, directory, dice):
    journal = Journal(directory)
    server = Server(ledger, directory, make_routes(journal), workers=8).start()
    try:
        callers = make_callers(server, dice)
        begun = [journal.wait_begun(caller.tag) for caller in callers]
        time.sleep(dice.uniform(0.05, 0.4))
        server.kill()
        for caller in callers:
            caller.join(20)
        server.start()
        check_gone(ledger, journal.mark, callers, begun)
        check_accepted(ledger, server, callers)
        check_next(ledger, server, journal)
        counts = journal.begun()
        for caller in callers:
            if counts[caller.tag] > 1:
                ledger.fail("begun twice", f"{caller.call}: its program began {counts[caller.tag]} times")
        server.end()
        for text in find_marked(journal.mark).values():
            ledger.fail("left running", f"SIGTERM, the server has ended, still there: {text}")
    finally:
        server.abandon()
        kill_marked(journal.mark)
