"""The ledger of a run: counts of what was done, and every promise that was found broken."""
import threading
from collections import Counter

# Things that are counted, in the order in which they are printed.
DONE = ("kills", "drains", "reloads", "accepted", "answered")
# A broken promise is one of these.  The last four are about operations, the first three about answers and ends of the server.
BROKEN = ("unanswered", "bad ends", "wrong answers", "lost", "changed", "begun twice", "left running")
SHOWN = 6  # examples of one kind in one move


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts = Counter()
        self.rounds = Counter()  # by move
        self.failures = {}  # by move and kind: texts
        self.seen = set()
        self.move = None

    def count(self, name, number=1):
        assert name in DONE
        with self.lock:
            self.counts[name] += number

    def fail(self, kind, text, subject=None):
        """text says first what was told and then what was found; each subject of a round counts once in a kind."""
        assert kind in BROKEN
        text = " ".join(text.split())
        with self.lock:
            if subject and (self.move, self.rounds[self.move], kind, subject) in self.seen:
                return
            self.seen.add((self.move, self.rounds[self.move], kind, subject))
            self.counts[kind] += 1
            self.failures.setdefault((self.move, kind), []).append(text)

    def begin(self, move):
        self.move = move
        self.rounds[move] += 1

    def is_clean(self):
        return not self.failures

    def summary(self):
        return ", ".join(f"{name} {self.counts[name]}" for name in (*DONE, *BROKEN))

    def report(self):
        lines = []
        for (move, kind), texts in sorted(self.failures.items()):
            lines.append(f"{move}: {kind}: {len(texts)} in {self.rounds[move]} rounds")
            lines += [f"    {text}" for text in texts[:SHOWN]]
        lines.append("rounds: " + ", ".join(f"{move} {count}" for move, count in self.rounds.items()))
        lines.append(self.summary())
        return "\n".join(lines)
