"""Lists of resources: pages, order and filters."""

import pytest

import expect
from collection_calls import collection, create
from styles import unknown_id


def names(response):
    assert response.status == 200, response
    return [item["name"] for item in response.json()["items"]]


@pytest.fixture
def listed(serve):
    server = serve([collection("items", index=["name", "n"])])
    for name, n in (("b", 2), ("a", 10), ("a?", None), ("c*", 1.5), ("d[x]", "2"), ("é", True)):
        create(server, "/items", {"name": name, "n": n, "list": [1, "x"]})
    return server


def test_pages(serve):
    server = serve([collection("items", index=["k"])])
    made = [create(server, "/items", {"name": str(n), "k": n % 3, "l": n % 3}) for n in range(45)]
    orders = {"": made, "sort_dir=desc&": made[::-1]}
    for key in "kl":
        ordered = sorted(made, key=lambda item: item["k"])
        orders[f"sort_key={key}&"] = ordered
        orders[f"sort_key={key}&sort_dir=desc&"] = ordered[::-1]
    for query, wanted in orders.items():
        seen, target = [], f"/items?{query}limit=7"
        while target:
            page = server.get(target).json()
            assert page["metadata"]["total_count"] == 45
            assert page["links"]["self"] == server.base + target
            assert len(page["items"]) == 7 or "next" not in page["links"]
            seen += page["items"]
            target = page["links"].get("next", server.base)[len(server.base):]
        assert [item["name"] for item in seen] == [item["name"] for item in wanted], query
    assert len(server.get("/items").json()["items"]) == 20
    assert len(server.get("/items?limit=99999999999999999999").json()["items"]) == 45


@pytest.mark.parametrize("query, wanted", [
    ("name=a", ["a"]), ("name=a*", ["a", "a?"]), ("name=a%3F", ["a?"]), ("name=*%5Bx%5D", ["d[x]"]), ("name=%C3%A9", ["é"]),
    ("name=", []), ("name=A", []), ("n=2", ["b", "d[x]"]), ("n=1.5", ["c*"]), ("n=true", ["é"]), ("n=1", []),
    ("n=null", ["a?"]), ("n=1*", ["a", "c*"]), ("list=%5B1,%22x%22%5D", ["b", "a", "a?", "c*", "d[x]", "é"]),
    ("status=ACTIVE&name=b", ["b"]), ("status=PENDING", []), ("version=1&name=b", ["b"]), ("updated_at=null&name=b", ["b"]),
    ("created_at=20*&name=b", ["b"]), ("unknown=1", []), ("a%22b=1", []), ("name=a&name=b", []),
    ("name=%27%3B--", []), ("sort_key=name&n=2", ["b", "d[x]"])])
def test_filters(listed, query, wanted):
    response = listed.get("/items?" + query)
    assert names(response) == wanted
    assert response.json()["metadata"]["total_count"] == len(wanted)


def test_filter_id(listed):
    item = listed.get("/items").json()["items"][3]
    assert names(listed.get(f"/items?id={item['id']}")) == [item["name"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=", "marker=1", f"marker={unknown_id()}",
                                   "sort_key=unknown", "sort_dir=up", "sort_key=%22"])
def test_bad_list_parameters(listed, query):
    expect.check_problem(listed.get("/items?" + query), 400, "invalid-parameter")
