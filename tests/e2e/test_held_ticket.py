"""The sample: a held ticket behind the configuration that comes with it, and an answer that gets lost."""

import json
import re
import subprocess
import sys

import pytest

from harness import ROOT, eventually

SAMPLES = ROOT / "scripts/samples"
PREFIX = "/v1/servicing/heldTicket"


@pytest.fixture
def ticket(serve):
    """A factory: the sample's service with that delay, and a server with the sample's routes in front of it."""
    services = []

    def make(delay):
        service = subprocess.Popen([sys.executable, str(SAMPLES / "held_ticket.py"), "--port", "0", "--delay", str(delay)],
                                   stdout=subprocess.PIPE, text=True)
        services.append(service)
        port = re.search(r":(\d+)$", service.stdout.readline())[1]
        text = re.sub(r"(^|\s)//.*$", "", (SAMPLES / "deferd.json").read_text(), flags=re.MULTILINE)
        routes = json.loads(text.replace("127.0.0.1:9000", f"127.0.0.1:{port}"))["routes"]
        server = serve([route for route in routes if route["path"].startswith(PREFIX)])
        server.kept_descriptors = 16 * 8
        return server

    yield make
    for service in services:
        service.terminate()
        service.stdout.close()
        assert service.wait(10) == 0


def step(server, name, body, fields=()):
    """One step in style token: its token and its result."""
    accepted = server.post(f"{PREFIX}/{name}", json.dumps(body).encode(), fields)
    assert accepted.status == 202
    token = accepted.json()["asyncOperation"]["token"]

    def ready():
        answer = server.get(f"{PREFIX}/{name}/poll?asyncOperationToken={token}").json()
        return answer if answer["asyncOperation"]["status"] == "READY" else None

    answer = eventually(ready)
    return token, answer["resultStatus"], answer["result"]


def test_a_lost_answer_is_recovered(ticket):
    server = ticket(0.3)
    _, status, quote = step(server, "quote", {"booking": "ABC123"})
    assert (status, quote["booking"]) == (200, "ABC123")
    _, status, prepared = step(server, "prepare", {"quoteId": quote["quoteId"]})
    assert status == 200
    body, key = {"preparationId": prepared["preparationId"]}, {"Idempotency-Key": "booking-ABC123-1"}

    lost = server.begin("POST", f"{PREFIX}/execute", json.dumps(body).encode(), key)
    token = lost.receive("POST").json()["asyncOperation"]["token"]
    lost.reset()

    again, status, issued = step(server, "execute", body, key)
    assert (again, status, issued["ticketsIssued"]) == (token, 200, 1)
    assert server.post(f"{PREFIX}/execute?async=false", json.dumps(body).encode(), key).json() == issued
    assert server.post(f"{PREFIX}/execute", json.dumps(body).encode()).status == 400
    assert server.post(f"{PREFIX}/execute", json.dumps({"preparationId": "P9"}).encode(), key).status == 422


def test_what_the_service_refuses(ticket):
    server = ticket(0)
    for name, body, status in (("quote", {"booking": "abc"}, 400), ("prepare", {"quoteId": "Q9"}, 404)):
        _, told, result = step(server, name, body)
        assert told == status and result["error"]
