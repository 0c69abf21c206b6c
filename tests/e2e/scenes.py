"""What the scenes have in common, whatever the style."""

import pytest

from styles import STYLES

every_style = pytest.mark.parametrize("style", STYLES, ids=repr)


def final_of(server, gate, style, outcome, path=None):
    """The response that the same call has synchronously."""
    call = server.begin("POST", (path or style.path) + "?async=false", b'{"n":1}', {"Content-Type": "application/json"})
    gate.wait_begun()
    gate.open(outcome)
    return call.receive("POST")


def occupy(server, gate, style):
    """An operation that runs until the gate opens."""
    id_ = style.start(server)
    assert gate.wait_begun()[0] == id_
    return id_
