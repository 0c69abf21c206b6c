#!/usr/bin/python3
"""Attacks the promises of a server with one move after another, and checks what it was told against what it finds.

usage: scripts/fault.d/moves.py [--seconds N | --drains N | --rounds N] [--moves NAME,...] [--seed N]
DEFERD names the program.  Exits 1 if a promise was broken.
"""
import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import changes  # noqa: E402
import copies  # noqa: E402
import drains  # noqa: E402
import keys  # noqa: E402
import kills  # noqa: E402
import reloads  # noqa: E402
from ask import HalfAnswer, NoAnswer  # noqa: E402
from ledger import Ledger  # noqa: E402
from server import Broken  # noqa: E402

MOVES = {"changes": changes, "drains": drains, "reloads": reloads, "kills": kills, "keys": keys, "copies": copies}


def run_round(ledger, name, number, dice, keep):
    """One round of a move, in a directory of its own, which stays if the round has found something and keep names a place."""
    ledger.begin(name)
    before = sum(map(len, ledger.failures.values()))
    directory = Path(tempfile.mkdtemp(prefix=f"fault-{name}-{number}-"))
    try:
        MOVES[name].run(ledger, directory, dice)
    except Broken:
        pass  # told already
    except (NoAnswer, HalfAnswer) as failure:
        at = traceback.extract_tb(failure.__traceback__)
        where = next(frame for frame in reversed(at) if frame.name != "send" and frame.name != "ask")
        ledger.fail("unanswered", f"{where.name}: a call to a server that must be there: {failure}")
    except Exception:
        ledger.fail("wrong answers", f"an answer that the checker cannot read: {' | '.join(traceback.format_exc().splitlines()[-5:])}")
    if keep and sum(map(len, ledger.failures.values())) > before:
        shutil.copytree(directory, Path(keep) / directory.name, ignore=shutil.ignore_patterns("*.sock"))
    shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description="Attacks the promises of a server.")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--drains", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--moves", default=",".join(MOVES))
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    parser.add_argument("--keep", help="a directory in which what a broken round has left is kept")
    arguments = parser.parse_args()
    names = ["drains"] if arguments.drains else arguments.moves.split(",")
    rounds = arguments.drains or arguments.rounds
    ledger, dice, number = Ledger(), random.Random(arguments.seed), 0
    ends_at = time.monotonic() + (arguments.seconds or 0)
    print(f"seed {arguments.seed}", flush=True)
    while number < rounds * len(names) if rounds else number < len(names) or time.monotonic() < ends_at:
        run_round(ledger, names[number % len(names)], number, dice, arguments.keep)
        number += 1
    print(ledger.report())
    sys.exit(0 if ledger.is_clean() else 1)


if __name__ == "__main__":
    main()
