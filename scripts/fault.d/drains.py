"""SIGTERM at a random moment under load in all styles, then the next start.

Each caller whose request the server had read is answered.  Whether it had read it is asked of the kernel: the server's end of the
connection is accepted, and nothing lies unread in it.  The queue's time is one second before the SIGTERM and an hour after the next
start, so that a call which ends by queue-timeout although its second was not over at the SIGTERM has ended so in the draining server.
"""
import time
from pathlib import Path

import styles
from ask import Call, ask
from journal import Journal
from load import Load, Work, is_own_result, new_key
from server import Server, find_marked, kill_marked, wait_for

QUEUE_S = 1.0
LATE_S = 0.3  # the signal may be handled so much later than it was sent
ESTABLISHED = "01"


def make_routes(journal):
    routes = [{"path": "/w/sync", "program": journal.program("sync")}]
    for style in styles.ALL:
        routes.append({"path": f"/w/{style.name}", "program": journal.program(style.name), **style.route})
    hook = journal.echo(0.6)
    return routes + [{"path": "/c/things", "collection": {"name": "things", "on_change": hook}},
                     {"path": "/c/zones", "style": "resource", "collection": {"name": "zones", "on_change": hook}}]


def seconds(load, dice):
    return dice.choice(load.lengths)


def maybe_key(dice):
    return new_key() if dice.random() < 0.3 else None


def synchronous(load, dice):
    load.submit(Work(None, "/w/sync", seconds(load, dice), maybe_key(dice)))


def asynchronous(load, dice):
    style = dice.choice(styles.ALL)
    load.submit(Work(style, f"/w/{style.name}", seconds(load, dice), maybe_key(dice)))


def waiting(load, dice):
    """Asked asynchronously, with a bound until which the answer is awaited."""
    style = dice.choice(styles.ALL)
    prefer = "respond-async, wait=10" if style.name == "prefer" else "wait=10"
    load.submit(Work(style, f"/w/{style.name}", seconds(load, dice), maybe_key(dice)), {"Prefer": prefer})


def polling(load, dice):
    """A monitor that holds its answer."""
    known = [work for work in load.works if work.id and not work.final]
    if not known:
        time.sleep(0.05)
        return
    work = dice.choice(known)
    call = Call("GET", f"/operations/{work.id}", None, {"Prefer": "wait=10"}, f"tag {work.tag}")
    answer = load.send(call)
    if answer.status != 202:
        load.learn_final(work, answer)


def changing(load, dice):
    """A resource of a collection with an on_change, in one way or another."""
    path = dice.choice(("/c/things", "/c/zones"))
    query, fields = dice.choice((("?async=false", {}), ("?async=true", {}), ("", {"Prefer": "respond-async, wait=10"}), ("", {})))
    number = dice.randrange(1 << 30)
    body = f'{{"v": {number}}}'.encode()
    answer = load.send(Call("POST", path + query, body, {"Content-Type": "application/json", **fields}, f"v {number}"))
    if answer.status in (201, 202):
        load.resources.append((path, number, answer))
        load.ledger.count("accepted")
    elif answer.problem() not in ("draining", "queue-timeout", "interrupted"):
        load.ledger.fail("wrong answers", f"POST {path}{query} v {number}: told {answer}")


KINDS = (synchronous, synchronous, asynchronous, asynchronous, waiting, waiting, polling, changing)

# A shape of the load: kinds of calls, how long their programs take, milliseconds by which a disk is slow, seconds until the SIGTERM.
# In the first the queue is long and programs hold the drain.  In the others nothing holds it, and the disk still writes what was accepted.
SHAPES = (
    (KINDS, (0.01, 0.05, 0.3, 2.0), (0, 0, 30, 150, 400), (0.1, 2.2)),
    ((synchronous, asynchronous, waiting, changing), (0.01,), (150, 400, 1500), (0.05, 0.5)),
    ((changing,), (0.01,), (0, 150, 400), (0.05, 1.0)),
)


def find_read(load):
    """Waiting calls that the server has read to their end."""
    port = int(load.server.address.rpartition(":")[2])
    read = set()
    with load.lock:
        waiting_now = [call for call in load.waiting if call.sent_at]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(fields[at].rpartition(":")[2], 16) for at in (1, 2))
        unread, inode = int(fields[4].partition(":")[2], 16), fields[9]
        if local == port and fields[3] == ESTABLISHED and unread == 0 and inode != "0":
            read.add(remote)
    return [call for call in waiting_now if call.port in read]


def check_answered(load, read, term_at):
    for call, closed_at, failure in load.closed:
        if call in read:
            load.ledger.fail("unanswered", f"{call}: sent {term_at - call.sent_at:.2f} s before the SIGTERM and read by the server; "
                                           f"{closed_at - term_at:.2f} s after it {failure}; drain_timeout "
                                           f"{load.server.config['drain_timeout']}, each fsync {load.slow_ms} ms slower")


def check_ends(load, begun_before, term_at):
    begun = load.journal.begun()
    for work in load.works:
        problem = b"" if not work.final or work.final[0] < 400 else work.final[1]
        when = f"sent {term_at - work.sent_at:.2f} s before the SIGTERM"
        if b"/problems/queue-timeout" in problem:
            if work.sent_at + QUEUE_S > term_at + LATE_S:
                load.ledger.fail("lost", f"{work}: {when}, queue_timeout {QUEUE_S} s, ended by queue-timeout in the draining server")
        elif b"/problems/interrupted" in problem:
            if work.id and not begun_before[work.tag]:
                load.ledger.fail("lost", f"{work}: {when}, was queued (its program had not begun), ended interrupted")
        elif b"/problems/draining" in problem and work.id:
            load.ledger.fail("lost", f"{work}: {when}, accepted, ended with 503 draining")
        elif work.final and not is_own_result(work, *work.final):
            load.ledger.fail("wrong answers", f"{work}: {when}, ended with {work.final[0]} {work.final[1][:160]}")
        if work.refused_as == "draining" and not work.key and begun[work.tag] > begun_before[work.tag]:
            load.ledger.fail("changed", f"{work}: {when}, told 503 draining, its program began after the next start")


def retry_keys(load):
    """A caller with a key that was told 503 draining asks again, asynchronously."""
    style = styles.ALL[0]
    for work in load.works:
        if work.key and work.refused_as == "draining":
            work.style, work.refused_as = work.style or style, None
            load.learn(work, load.send(work.make_call()))


def check_resources(load):
    for path, number, told in load.resources:
        place = told.json().get("id") if told.body and told.body != b'{"progress":"IN_QUEUE"}' else None
        target = f"{path}/{place}" if place else f"{path}?v={number}"
        found = wait_for(lambda target=target: read_settled(load.server.address, target), 30, 0.05)
        if not found:
            load.ledger.fail("lost", f"POST {path} v {number}: told {told}, still PENDING 30 s after the next start")
        elif found.get("v") != number:
            load.ledger.fail("lost", f"POST {path} v {number}: told {told}, found {found}")


def read_settled(address, target):
    """The resource, or what is there in its place; None while it is pending."""
    document = ask(address, "GET", target).json()
    for value in document.values():
        if isinstance(value, list) and len(value) == 1:
            document = value[0]
    return None if document.get("status") == "PENDING" else document


def run(ledger, directory, dice):
    """One drain under load, on a disk that is as slow as the dice say; it lasts for less or more than the queue's time."""
    journal = Journal(directory)
    server = Server(ledger, directory, make_routes(journal), workers=3, queue_timeout=f"{QUEUE_S:.0f}s",
                    drain_timeout=dice.choice(("1s", "1s", "3s")))
    kinds, lengths, slow, moments = dice.choice(SHAPES)
    server.sync_ms = dice.choice(slow)
    server.start()
    load = Load(ledger, server, journal, kinds, 24, dice.randrange(1 << 30))
    load.lengths, load.resources, load.slow_ms = lengths, [], server.sync_ms
    try:
        load.start()
        time.sleep(dice.uniform(*moments))
        read, term_at = find_read(load), time.monotonic()
        server.begin_drain()
        time.sleep(dice.uniform(0, 0.3))  # some ask while it drains
        load.over.set()
        server.finish_drain()
        load.stop()
        check_answered(load, read, term_at)
        for process in find_marked(journal.mark).values():
            ledger.fail("left running", f"SIGTERM, the server has ended, still there: {process}")
        begun_before = journal.begun()
        journal.note_life()
        server.sync_ms = 0
        server.start(queue_timeout="1h", workers=12)
        retry_keys(load)
        load.settle()
        load.check_begun_once()
        check_ends(load, begun_before, term_at)
        check_resources(load)
        server.end()
    finally:
        server.abandon()
        load.over.set()
        kill_marked(journal.mark)
