"""Keys of calls that wait in the queue for too long: a call that never began frees its key, and the same key then runs once."""
import threading
import time

import styles
from ask import ask
from journal import Journal
from load import Work, new_key
from server import Server, kill_marked, wait_for

HELD_S = 1.5
QUEUE = "300ms"


def make_routes(journal):
    """Each style's route has one worker of its own, which a first call holds."""
    routes = [{"path": "/k/sync", "program": journal.program("sync"), "concurrency": 1, "queue_timeout": QUEUE}]
    for style in styles.ALL:
        routes.append({"path": f"/k/{style.name}", "program": journal.program(style.name), "concurrency": 1, "queue_timeout": QUEUE,
                       **style.route})
    return routes


class Attempt(threading.Thread):
    """A keyed call that runs out of its time in the queue, and the same call again."""

    def __init__(self, ledger, server, journal, style):
        super().__init__(daemon=True)
        self.ledger, self.server, self.journal, self.style = ledger, server, journal, style
        path = f"/k/{style.name if style else 'sync'}"
        self.holder = Work(style or styles.ALL[0], path, HELD_S)
        self.work = Work(style, path, 0.01, new_key())
        self.ended_first = None

    def run(self):
        """Holds the route, and lets the keyed call run out of time."""
        self.submit(self.holder)
        if not self.journal.wait_begun(self.holder.tag):
            self.ledger.fail("lost", f"{self.holder}: accepted, its program has not begun after 30 s")
            return
        answer = self.submit(self.work)
        self.ended_first = self.find_end(answer)
        if not self.ended_first or self.ended_first.problem() != "queue-timeout":
            self.ledger.fail("wrong answers", f"{self.work}: behind a call of {HELD_S} s, queue_timeout {QUEUE}, ended as {self.ended_first}")
            self.ended_first = None

    def submit(self, work):
        answer = work.make_call().send(self.server.address)
        self.ledger.count("answered")
        if answer.status == 202:
            self.ledger.count("accepted")
            work.id = work.style.read_id(answer)
        return answer

    def find_end(self, answer):
        """The final response of a call that was answered so."""
        if answer.status != 202:
            return answer
        id_ = styles.read_any_id(answer) if not self.style else self.style.find_id(answer)
        return wait_for(lambda: self.read(id_), 30, 0.03)

    def read(self, id_):
        answer = ask(self.server.address, "GET", f"/operations/{id_}")
        return None if answer.status == 202 else answer

    def try_again(self, when):
        """The same key once more, which runs now, and once more, which does not."""
        if not self.ended_first:
            return
        first, again, third = self.work.id, None, None
        again = self.find_end(self.submit(self.work))
        begun = self.journal.begun()[self.work.tag]
        if not again or again.status != 200 or begun != 1:
            self.ledger.fail("lost", f"{self.work}: ended by queue-timeout before it began ({first or 'synchronous'}); the same key {when} "
                                     f"must run once, began {begun} times, told {again}")
            return
        third = self.find_end(self.submit(self.work))
        begun = self.journal.begun()[self.work.tag]
        if begun != 1:
            self.ledger.fail("begun twice", f"{self.work}: its key was sent again after its end, its program began {begun} times")
        elif not third or third.body != again.body:
            self.ledger.fail("changed", f"{self.work}: told {again}, the same key told {third}")


def run(ledger, directory, dice):
    journal = Journal(directory)
    server = Server(ledger, directory, make_routes(journal), workers=8, drain_timeout="5s").start()
    try:
        attempts = [Attempt(ledger, server, journal, style) for style in (None, *styles.ALL)]
        for attempt in attempts:
            attempt.start()
        for attempt in attempts:
            attempt.join(60)
        when, what = "after that", dice.randrange(3)
        if what:
            server.kill() if what == 1 else server.drain()
            server.start()
            when = f"after {('kill -9', 'SIGTERM')[what - 1]} and a new start"
        time.sleep(HELD_S)
        for attempt in attempts:
            attempt.try_again(when)
        server.end()
    finally:
        server.abandon()
        kill_marked(journal.mark)
