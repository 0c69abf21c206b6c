"""
kill -9 at random moments under load: no accepted operation is lost, no final answer changes, no work without `rerun` begins
twice, every result is its own, and nothing that was running is left behind.
"""

import http.client
import os
import random
import threading
import time
from collections import Counter

import expect
from clients import Clients
from collection_calls import collection, count_rows, create, path_of
from harness import eventually

WORKER = 'echo "$DEFERD_OPERATION_ID" >>"$0"; cat; if [ "$((0x${DEFERD_OPERATION_ID%%-*} % 4))" = 0 ]; then sleep 0.05; fi'


def test_nothing_told_is_taken_back(serve, tmp_path, seconds, capsys):
    begun = tmp_path / "begun"
    program = {"argv": ["/bin/bash", "-c", WORKER, str(begun)]}
    server = serve([{"path": "/once", "program": program},
                    {"path": "/again", "program": program, "rerun": True}],
                   state=str(tmp_path / "deferd.db"), workers=4, capacity=100000, queue_timeout="1h", keep="1h")
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 1000000))
    dice = random.Random(seed)
    clients = Clients(6, ["/once", "/again"], seed)
    rounds = 0
    ends_at = time.monotonic() + seconds
    try:
        while time.monotonic() < ends_at:
            clients.serve_at(server.address)
            clients.over.wait(dice.uniform(0.02, 0.8))
            server.kill()
            clients.pause()
            server.start()
            rounds += 1
        settle(server, clients)
    finally:
        clients.stop()
    report(capsys, clients, begun, rounds, seed)
    assert not clients.broken, clients.broken[:10]
    assert not begun_twice(clients, begun)
    assert rounds >= seconds / 4


def settle(server, clients):
    """Everything that was accepted comes to its end, and is read once more."""
    clients.pause()
    connection = http.client.HTTPConnection(server.address, timeout=20)
    for told in list(clients.told.values()):
        if told.id:
            eventually(lambda told=told: clients.read(connection, told), f"{told.id} to end", timeout=120)
    connection.close()


def begun_twice(clients, begun):
    once = {told.id for told in clients.told.values() if told.id and told.path == "/once"}
    counts = Counter(begun.read_text().split()) if begun.exists() else Counter()
    return [id_ for id_, count in counts.items() if count > 1 and id_ in once]


def report(capsys, clients, begun, rounds, seed):
    accepted = [told for told in clients.told.values() if told.id]
    interrupted = sum(1 for told in accepted if told.final and told.final[0] == 500)
    with capsys.disabled():
        print(f"\n  crash: {rounds} kills (seed {seed}), {clients.answers} answers, {len(accepted)} accepted, "
              f"{sum(1 for told in accepted if told.final)} ended, {interrupted} interrupted, "
              f"0 lost" if not clients.broken else f"\n  crash: {len(clients.broken)} BROKEN (seed {seed})")


def test_what_goes_with_a_parent_never_comes_back(serve, tmp_path):
    """Killed again and again while it is being removed, until it is."""
    state = tmp_path / "deferd.db"
    server = serve([collection("items"), collection("sets", "/items/{item_id}/sets", parent="items", unique=["name"])],
                   state=str(state))
    dice = random.Random(int(os.environ.get("FAULT_SEED", "1")))
    item = path_of(server, create(server, "/items", {}))
    paths = []

    def fill(client):
        for n in range(400):
            paths.append(path_of(server, create(server, f"{item}/sets", {"name": f"{client} {n}"})))

    clients = [threading.Thread(target=fill, args=[client]) for client in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(paths) == 1600 and count_rows(state) == (1601, 0)
    assert server.call("DELETE", item).status == 204
    lefts = []
    while not lefts or lefts[-1] != (0, 0):
        time.sleep(dice.uniform(0, 0.03))
        server.kill()
        lefts.append(count_rows(state))
        server.start()
        for target in [item, f"{item}/sets", *dice.sample(paths, 20)]:
            expect.check_problem(server.get(target), 404, "not-found")
        assert server.get("/items").json()["metadata"]["total_count"] == 0
    assert [left for left, _ in lefts] == sorted((left for left, _ in lefts), reverse=True)
