"""Clients that load a server with calls of every style, remember what they were told, and look for it later."""
import json
import random
import threading
import time
import uuid

import styles
from ask import Call, HalfAnswer, NoAnswer, ask
from journal import make_body, new_tag
from server import wait_for

# A call that was refused for one of these was not accepted.
REFUSED = ("draining", "capacity", "queue-full", "storage")
SETTLE_S = 60


class Work:
    """A tag, how it was asked for, and what was told of it."""

    def __init__(self, style, path, seconds, key=None):
        self.tag = new_tag()
        self.style = style  # None: synchronous
        self.path = path
        self.body = make_body(self.tag, seconds)
        self.key = key
        self.sent_at = time.monotonic()
        self.accepted_at = None
        self.id = None
        self.final = None  # status and body of the final response that was told
        self.refused_as = None

    def __str__(self):
        how = self.style.name if self.style else "synchronous"
        return f"{how} POST {self.path} tag {self.tag}{' with a key' if self.key else ''}{f' operation {self.id}' if self.id else ''}"

    def make_call(self, more=None):
        fields = {"Content-Type": "application/json", **(self.style.fields if self.style else {}), **(more or {})}
        if self.key:
            fields["Idempotency-Key"] = self.key
        return Call("POST", self.path + (self.style.query if self.style else ""), self.body, fields, f"tag {self.tag}")


def is_own_result(work, status, body):
    return status == 200 and json.loads(body) == {"tag": work.tag}


class Load:
    """kinds: functions (load, dice) that make one call each, chosen at random by count threads until stop()."""

    def __init__(self, ledger, server, journal, kinds, count, seed):
        self.ledger = ledger
        self.server = server
        self.journal = journal
        self.lock = threading.Lock()
        self.works = []
        self.waiting = set()  # calls without an answer so far
        self.over = threading.Event()
        self.kinds = kinds
        self.closed = []  # calls whose connection ended without an answer, and how
        self.threads = [threading.Thread(target=self.run, args=(random.Random(seed * 1000 + number),), daemon=True)
                        for number in range(count)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(90)
            if thread.is_alive():
                self.ledger.fail("unanswered", "a caller still waits 90 s later, with its connection open")

    def run(self, dice):
        while not self.over.is_set():
            try:
                dice.choice(self.kinds)(self, dice)
                time.sleep(dice.uniform(0, 0.02))
            except NoAnswer:
                time.sleep(0.05)  # what it means depends on the moment: see closed
            except HalfAnswer as failure:
                self.ledger.fail("unanswered", f"half an answer: {failure}")
            except styles.WrongForm as failure:
                self.ledger.fail("wrong answers", str(failure))

    def send(self, call):
        with self.lock:
            self.waiting.add(call)
        try:
            answer = call.send(self.server.address)
            self.ledger.count("answered")
        except NoAnswer as failure:
            with self.lock:
                self.closed.append((call, time.monotonic(), failure))
            raise
        finally:
            with self.lock:
                self.waiting.discard(call)
        if answer.status in (429, 503) and not answer.headers["Retry-After"]:
            self.ledger.fail("wrong answers", f"{call.method} {call.target}: told {answer}, without Retry-After",
                             f"Retry-After {answer.problem()}")
        return answer

    def submit(self, work, more=None):
        """Sends it and notes what was told."""
        with self.lock:
            self.works.append(work)
        self.learn(work, self.send(work.make_call(more)))

    def learn(self, work, answer):
        if answer.status == 202:
            if not work.style:
                self.ledger.fail("wrong answers", f"{work}: told {answer}")
                return
            self.learn_id(work, work.style.read_id(answer))
        elif answer.problem() in REFUSED and not work.id:
            work.refused_as = answer.problem()
        else:
            self.learn_final(work, answer)

    def learn_id(self, work, id_):
        if work.id and work.id != id_:
            self.ledger.fail("begun twice", f"{work}: its key was told {id_} later", work.tag)
        if not work.id:
            work.accepted_at = time.monotonic()
            self.ledger.count("accepted")
        work.id = id_

    def learn_final(self, work, answer):
        final = (answer.status, answer.body)
        if work.final and work.final != final:
            self.ledger.fail("changed", f"{work}: told {work.final[0]} {work.final[1][:120]}, found {answer}")
        elif answer.status == 200 and not is_own_result(work, *final):
            self.ledger.fail("changed", f"{work}: told another call's result: {answer}")
        work.final = final

    def settle(self):
        """Reads each accepted call until it has ended, by the general monitor and by its own."""
        deadline = time.monotonic() + SETTLE_S
        for work in [work for work in self.works if work.id]:
            answer = wait_for(lambda work=work: self.read_end(work), max(0.1, deadline - time.monotonic()), 0.03)
            if not answer:
                self.ledger.fail("lost", f"{work}: told 202, has not ended after the next start", work.tag)
            elif answer.problem() in ("not-found", "expired"):
                self.ledger.fail("lost", f"{work}: told 202, found {answer}", work.tag)
            else:
                self.learn_final(work, answer)
                self.check_own_monitor(work)

    def read_end(self, work):
        answer = ask(self.server.address, "GET", f"/operations/{work.id}")
        return None if answer.status == 202 else answer

    def check_own_monitor(self, work):
        answer = ask(self.server.address, "GET", work.style.target(work.path, work.id))
        try:
            work.style.check_end(answer, work.id, *work.final)
        except (styles.WrongForm, KeyError, TypeError, ValueError) as failure:
            self.ledger.fail("wrong answers", f"{work}: {type(failure).__name__}: {failure}", work.style.name)

    def check_begun_once(self):
        begun = self.journal.begun()
        for work in self.works:
            if begun[work.tag] > 1:
                self.ledger.fail("begun twice", f"{work}: its program began {begun[work.tag]} times", work.tag)


def new_key():
    return str(uuid.uuid4())
