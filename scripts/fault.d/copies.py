"""A copy of the database is started beside the living server, is killed and started again: the living server's programs survive."""
import shutil
import sqlite3

from ask import ask
from journal import Journal, is_alive, new_tag, start_time
from kills import Caller
from server import Server, find_marked, kill_marked, wait_for

LASTS_S = 6


def make_routes(journal):
    return [{"path": path, "program": journal.program(path), **more}
            for path, more in (("/b/once", {}), ("/b/again", {"rerun": True}))]


def copy_state(source, directory):
    """By SQLite's backup, with the files of bodies and results that lie beside it."""
    directory.mkdir()
    for entry in source.directory.iterdir():
        if entry.is_dir() and entry != directory:
            shutil.copytree(entry, directory / entry.name, dirs_exist_ok=True)
    with sqlite3.connect(source.config["state"]) as database, sqlite3.connect(directory / "deferd.db") as copy:
        database.backup(copy)
    database.close()
    copy.close()


class Running:
    """A program of the living server."""

    def __init__(self, call, pid):
        self.call = call
        self.pid = pid
        self.started = start_time(pid) if pid else None


def check_alive(ledger, runnings, when):
    """Answers whether all are there."""
    for running in runnings:
        if not is_alive(running.pid, running.started):
            ledger.fail("lost", f"{running.call}: its program (process {running.pid}) runs in a living server; {when} it is gone")
            return False
    return True


def begin_calls(server, journal):
    """Calls of all kinds, whose programs run."""
    callers = []
    for path in ("/b/once", "/b/again"):
        for query, fields in (("", {}), ("?async=true", {}), ("", {"Idempotency-Key": new_tag("key")})):
            callers.append(Caller(server, path, query, fields, LASTS_S))
    return callers, [Running(caller.call, journal.wait_begun(caller.tag)) for caller in callers]


def check_ends(ledger, server, callers):
    for caller in callers:
        caller.join(30)
        answer = caller.ending
        if getattr(answer, "status", None) == 202:
            ledger.count("accepted")
            id_ = answer.headers["Location"].rpartition("/")[2]
            answer = wait_for(lambda id_=id_: find_end(server, id_), 30, 0.05)
        if getattr(answer, "status", None) != 200:
            ledger.fail("lost", f"{caller.call}: a copy of the database was started beside its server; it ended as {answer}")


def find_end(server, id_):
    answer = ask(server.address, "GET", f"/operations/{id_}")
    return None if answer.status == 202 else answer


def run(ledger, directory, dice):
    journal, other_journal = Journal(directory), Journal(directory / "other")
    server = Server(ledger, directory, make_routes(journal), workers=16).start()
    other = None
    try:
        callers, runnings = begin_calls(server, journal)
        if not all(running.started for running in runnings):
            ledger.fail("lost", "a call was sent, and its program has not begun after 30 s")
            return
        copy_state(server, directory / "copy")
        other = Server(ledger, directory / "copy", make_routes(other_journal), workers=16).start()
        if check_alive(ledger, runnings, "a copy of its database was started beside it, and") and dice.randrange(2):
            other.kill()
            other.start()
            check_alive(ledger, runnings, "the copy was killed and started again, and")
        own = Caller(other, "/b/once", "", None, 0.01)
        own.join(30)
        if getattr(own.ending, "status", None) != 200:
            ledger.fail("wrong answers", f"POST /b/once to the copy: {own.ending}")
        other.end()
        check_ends(ledger, server, callers)
        counts = journal.begun()
        for caller in callers:
            if counts[caller.tag] > 1:
                ledger.fail("begun twice", f"{caller.call}: its program began {counts[caller.tag]} times")
        server.end()
        for text in {**find_marked(journal.mark), **find_marked(other_journal.mark)}.values():
            ledger.fail("left running", f"SIGTERM, both servers have ended, still there: {text}")
    finally:
        server.abandon()
        if other:
            other.abandon()
        kill_marked(journal.mark)
        kill_marked(other_journal.mark)
