"""Clients that load a server which is killed again and again, and remember every answer that they were given."""

import hashlib
import http.client
import json
import random
import threading
import uuid

POLL = "/operations/"


class Told:
    """What the clients were told of one operation: it must stay true."""

    def __init__(self, body, path):
        self.body = body
        self.path = path
        self.id = None  # once a 202 told it
        self.final = None  # status and digest of the final response, once it was seen


class Clients:
    def __init__(self, count, paths, seed, large_every=20):
        self.paths = paths
        self.large_every = large_every
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.told = {}  # by Idempotency-Key
        self.broken = []  # what was found not to be true any more
        self.address = None
        self.running = threading.Event()
        self.over = threading.Event()
        self.answers = 0
        self.threads = [threading.Thread(target=self._work, args=(self.random.random(),)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def serve_at(self, address):
        self.address = address
        self.running.set()

    def pause(self):
        self.running.clear()

    def stop(self):
        self.over.set()
        self.running.set()
        for thread in self.threads:
            thread.join()

    def _work(self, seed):
        dice = random.Random(seed)
        while not self.over.is_set():
            self.running.wait()
            connection = http.client.HTTPConnection(self.address, timeout=20)
            try:
                while self.running.is_set() and not self.over.is_set():
                    self._one_call(connection, dice)
            except (OSError, http.client.HTTPException):
                pass  # the server was killed: what it told so far counts
            finally:
                connection.close()

    def _one_call(self, connection, dice):
        what = dice.random()
        if what < 0.45:
            self._submit(connection, dice, str(uuid.uuid4()))
        elif what < 0.55:
            self._retry(connection, dice)
        else:
            self._poll(connection, dice)

    def _submit(self, connection, dice, key):
        size = 200_000 if dice.randrange(self.large_every) == 0 else 40
        told = Told((key + ":" + "x" * size).encode(), dice.choice(self.paths))
        with self.lock:
            self.told[key] = told
        self._send(connection, dice, key, told)

    def _retry(self, connection, dice):
        with self.lock:
            if not self.told:
                return
            key = dice.choice(list(self.told))
            told = self.told[key]
        self._send(connection, dice, key, told)

    def _send(self, connection, dice, key, told):
        is_async = dice.random() < 0.7
        fields = {"Idempotency-Key": key, "Content-Type": "text/plain"}
        connection.request("POST", told.path + ("?async=true" if is_async else ""), told.body, fields)
        response = connection.getresponse()
        body = response.read()
        self.answers += 1
        if is_async and response.status == 202:
            self._learn_id(told, response.headers["Location"].rpartition("/")[2])
        elif response.status in (429, 503) and b"/problems/interrupted" not in body:
            pass  # refused, or told that the server goes down: no promise
        elif is_async:
            self._complain(f"asked asynchronously: {response.status} {body[:200]!r}")
        else:
            self._learn_final(told, response.status, body)

    def _poll(self, connection, dice):
        with self.lock:
            known = [told for told in self.told.values() if told.id]
            if not known:
                return
            told = dice.choice(known)
        self.read(connection, told)

    def read(self, connection, told):
        """Polls one operation; answers whether it has ended."""
        connection.request("GET", POLL + told.id)
        response = connection.getresponse()
        body = response.read()
        self.answers += 1
        if response.status == 202:
            if told.final:
                self._complain(f"{told.id} had ended and now has not")
            return False
        if response.status in (404, 410):
            self._complain(f"{told.id} is lost: {response.status} {body[:200]!r}")
        self._learn_final(told, response.status, body)
        return True

    def _learn_id(self, told, id_):
        with self.lock:
            if told.id and told.id != id_:
                self.broken.append(f"one key, two operations: {told.id} {id_}")
            told.id = id_

    def _learn_final(self, told, status, body):
        final = (status, hashlib.sha256(body).hexdigest())
        with self.lock:
            if told.final and told.final != final:
                self.broken.append(f"{told.id}: final response changed from {told.final[0]} to {status}")
            told.final = final
            if status == 200 and body != told.body:
                self.broken.append(f"{told.id}: somebody else's result")
            elif status != 200 and json.loads(body)["type"] != "/problems/interrupted":
                self.broken.append(f"{told.id}: {body[:200]!r}")

    def _complain(self, what):
        with self.lock:
            self.broken.append(what)
