"""Resources that go with the one that they belong to, where they are many."""

import expect
from collection_calls import collection, count_rows, create, path_of, send
from harness import eventually


def nested(serve, state):
    """Items, sets in them, and records in these."""
    return serve([collection("items", unique=["name"]), collection("sets", "/items/{item_id}/sets", parent="items"),
                  collection("records", "/items/{item_id}/sets/{set_id}/records", parent="sets")], state=state)


def fill(server, sets):
    """An item with so many sets, each with a record: the paths of all three."""
    item = path_of(server, create(server, "/items", {"name": "large"}))
    sets = [path_of(server, create(server, f"{item}/sets", {"n": n})) for n in range(sets)]
    return item, sets, [path_of(server, create(server, f"{path}/records", {})) for path in sets]


def read_all(server, paths):
    return all(server.get(path).status == 200 for path in [paths[0], *paths[1], *paths[2]])


def check_gone(server, item, sets, records):
    for path in [item, *sets, *records]:
        expect.check_problem(server.get(path), 404, "not-found")
    for method, target in (("PATCH", sets[-1]), ("PUT", records[-1]), ("POST", f"{item}/sets"), ("POST", f"{sets[0]}/records")):
        expect.check_problem(send(server, method, target, {}), 404, "not-found")
    for target in (sets[-1], records[-1]):
        expect.check_problem(server.call("DELETE", target), 404, "not-found")
    for target in (f"{item}/sets", f"{sets[0]}/records", f"{sets[-1]}/records"):
        expect.check_problem(server.get(target), 404, "not-found")


def test_much_goes_with_its_parent(serve, state):
    """All of it is gone for everybody at once, however long it takes to remove; what is left is as it was."""
    server = nested(serve, state)
    other = fill(server, 2)
    assert send(server, "PATCH", other[0], {"name": "other"}).status == 200
    large = fill(server, 60)
    assert read_all(server, large)
    assert server.call("DELETE", large[0]).status == 204
    check_gone(server, *large)
    items = server.get("/items").json()
    assert [item["name"] for item in items["items"]] == ["other"] and items["metadata"]["total_count"] == 1
    again = create(server, "/items", {"name": "large"})
    assert server.get(path_of(server, again) + "/sets").json()["metadata"]["total_count"] == 0
    assert read_all(server, other)
    assert server.get(f"{other[0]}/sets").json()["metadata"]["total_count"] == 2


def test_removal_goes_on_after_a_crash(serve, tmp_path):
    state = tmp_path / "state.db"
    server = nested(serve, str(state))
    large = fill(server, 60)
    assert server.call("DELETE", large[0]).status == 204
    server.kill()
    server.start()
    check_gone(server, *large)
    eventually(lambda: count_rows(state) == (0, 0), "all to be removed")
    create(server, "/items", {"name": "large"})
