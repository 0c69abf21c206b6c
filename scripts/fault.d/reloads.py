"""SIGHUPs and restarts under load, with routes whose methods change, change their order, or that come and go.

Operations, keys, tokens and limits stay: a route is its path.  A route that comes and goes is only away while nothing of it is queued.
"""
import time

import styles
from ask import ask
from journal import Journal
from load import Load, Work, new_key
from server import Server, kill_marked, wait_for

AT_ONCE = 2
METHODS = (["POST"], ["PUT", "POST"], ["POST", "PUT"], ["PATCH", "PUT", "POST"])
COMING = "/w/coming"


def make_routes(journal, turn, with_coming=True):
    """The routes of a turn: other methods, another order, and one that is there or not."""
    routes = []
    for style in styles.ALL:
        routes.append({"path": f"/w/{style.name}", "methods": METHODS[turn % len(METHODS)], "program": journal.program(style.name),
                       "concurrency": AT_ONCE, **style.route})
    if turn % 2:
        routes = [{"path": f"/w/other{turn}", "program": journal.program("other")}, *reversed(routes)]
    if with_coming:
        routes.append({"path": COMING, "methods": METHODS[turn % len(METHODS)], "program": journal.program("coming"),
                       "concurrency": AT_ONCE, **styles.TOKEN.route})
    return routes


def asynchronous(load, dice):
    style = dice.choice(styles.ALL)
    load.submit(Work(style, f"/w/{style.name}", dice.choice((0.01, 0.1, 0.3)), new_key() if dice.random() < 0.6 else None))


def polling(load, dice):
    """Reads an operation by the monitor of its style, which must know it."""
    work = pick(load, dice)
    if not work:
        return
    target = work.style.target(work.path, work.id)
    answer = ask(load.server.address, "GET", target)
    load.ledger.count("answered")
    if answer.status in (404, 410) or work.style is styles.TOKEN and styles.TOKEN.is_unknown(answer):
        load.ledger.fail("lost", f"{work}: told 202, after a reload or restart GET {target} found {answer}", work.tag)


def again(load, dice):
    """Sends a key once more: it must name the same operation."""
    work = pick(load, dice)
    if work and work.key:
        load.learn(work, load.send(work.make_call()))


def pick(load, dice):
    known = [work for work in load.works[-60:] if work.id]
    if not known:
        time.sleep(0.02)
    return dice.choice(known) if known else None


KINDS = (asynchronous, asynchronous, polling, again)


def check_all(load, when):
    """Each token and each key once more."""
    for work in [work for work in load.works if work.id]:
        answer = ask(load.server.address, "GET", work.style.target(work.path, work.id))
        if answer.status in (404, 410) or work.style is styles.TOKEN and styles.TOKEN.is_unknown(answer):
            load.ledger.fail("lost", f"{work}: told 202, {when} its monitor found {answer}", work.tag)
        if work.key:
            load.learn(work, ask_again(load, work))


def ask_again(load, work):
    return work.make_call().send(load.server.address)


def check_limits(load):
    for name, most in load.journal.most_at_once().items():
        if most > AT_ONCE and name != "other":
            load.ledger.fail("changed", f"route {name}: concurrency {AT_ONCE}, {most} of its programs ran at once")


def check_ends(load):
    """Without a kill or a drain under load each call has ended well; after one, what had begun may be interrupted."""
    begun = load.journal.begun()
    for work in load.works:
        if work.final and work.final[0] != 200:
            if b"/problems/interrupted" in work.final[1] and load.was_killed and begun[work.tag]:
                continue
            load.ledger.fail("lost", f"{work}: told 202, ended with {work.final[0]} {work.final[1][:160].decode(errors='replace')}"
                                     f"{' (its program had not begun)' if not begun[work.tag] else ''}", work.tag)


def come_and_go(load, journal, turn, dice):
    """Calls of a route end; the server is restarted without it, and then reloaded with it."""
    works = []
    for _ in range(4):
        work = Work(styles.TOKEN, COMING, 0.01, new_key())
        load.submit(work)
        works.append(work)
    if not wait_for(lambda: all(load.read_end(work) for work in works), 30, 0.05):
        load.ledger.fail("lost", f"{works[0]}: has not ended in 30 s")
    restart(load, journal, turn, False, dice)
    return load.server.reload(make_routes(journal, turn + 1))


def restart(load, journal, turn, with_coming, dice):
    """Ends the server somehow and starts it with the routes of a turn."""
    load.was_killed = True
    load.server.kill() if dice.randrange(2) else load.server.drain()
    journal.note_life()
    load.server.config["routes"] = make_routes(journal, turn, with_coming)
    load.server.start()


def run(ledger, directory, dice):
    journal = Journal(directory)
    turn = dice.randrange(8)
    server = Server(ledger, directory, make_routes(journal, turn), workers=12).start()
    load = Load(ledger, server, journal, KINDS, 6, dice.randrange(1 << 30))
    load.was_killed = False
    try:
        load.start()
        for _ in range(4):
            time.sleep(dice.uniform(0.1, 0.5))
            turn += 1 + dice.randrange(3)
            server.reload(make_routes(journal, turn))
        load.stop()
        check_all(load, "after reloads")
        if dice.randrange(2):
            restart(load, journal, turn + 1, True, dice)
            check_all(load, "after a restart with other methods")
        if come_and_go(load, journal, turn + 2, dice):
            check_all(load, "after a restart without its route and a reload with it")
        load.settle()
        load.check_begun_once()
        check_limits(load)
        check_ends(load)
        server.end()
    finally:
        server.abandon()
        load.over.set()
        kill_marked(journal.mark)
