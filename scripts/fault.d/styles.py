"""The styles of asynchronous calls as a client sees them: how each is asked for, tells its id, and shows an end.

The forms are those of the API that is documented, and no others are accepted.  Nothing else in this folder knows them.
"""
import json


class WrongForm(Exception):
    """An answer that has not the form of its style."""


def expect(condition, text):
    if not condition:
        raise WrongForm(text)


class Style:
    name = ""
    route = {}  # members of a route that answers in this style
    query = ""
    fields = {}
    monitor = ""

    def read_id(self, answer):
        """The operation of a 202."""
        expect(answer.status == 202, f"not a 202: {answer}")
        expect(answer.headers["Retry-After"], "a 202 without Retry-After")
        return self.find_id(answer)

    def find_id(self, answer):
        expect(answer.headers["Location"], f"a 202 without Location: {answer}")
        return answer.headers["Location"].rpartition("/")[2]

    def target(self, path, id_):
        return self.monitor.format(id=id_, path=path)

    def check_end(self, answer, id_, status, body):
        """answer of its own monitor; status and body of the final response, which is JSON."""
        raise NotImplementedError


class Location(Style):
    name, query, monitor = "location", "?async=true", "/operations/{id}"

    def check_end(self, answer, id_, status, body):
        expect((answer.status, answer.body) == (status, body), f"final response {status} {body[:80]}, monitor {answer}")


class Prefer(Style):
    name, fields, monitor = "prefer", {"Prefer": "respond-async"}, "/async/v1/requests/{id}"

    def find_id(self, answer):
        place = answer.headers["GW-Async-Location"] or ""
        expect("/async/v1/requests/" in place, f"a 202 without GW-Async-Location: {answer}")
        return place.rpartition("/")[2]

    def check_end(self, answer, id_, status, body):
        expect(answer.status == 200, f"monitor {answer}")
        attributes = answer.json()["data"]["attributes"]
        found = (attributes["id"], attributes["status"], attributes.get("responseStatus"), attributes.get("responseBodyJson"))
        expect(found == (id_, "Complete", status, json.loads(body)), f"final response {status} {body[:80]}, monitor {found}")


class Status(Style):
    name, route, monitor = "status", {"style": "status"}, "/v1/operationStatus/{id}"

    def check_end(self, answer, id_, status, body):
        expect(answer.status == 200, f"monitor {answer}")
        found = answer.json()
        word = "SUCCESS" if status < 400 else "FAILED"
        expect((found["id"], found["status"]) == (id_, word), f"final response {status}, monitor {answer}")


class Token(Style):
    name, route, monitor = "token", {"style": "token"}, "{path}/poll?asyncOperationToken={id}"

    def find_id(self, answer):
        found = answer.json()
        expect(set(found) == {"asyncOperation"} and set(found["asyncOperation"]) == {"token", "status"}, f"form of a 202: {answer}")
        return found["asyncOperation"]["token"]

    def check_end(self, answer, id_, status, body):
        right = {"asyncOperation": {"token": id_, "status": "READY"}, "result": json.loads(body), "resultStatus": status}
        expect(answer.status == 200 and answer.json() == right, f"must be {json.dumps(right)}, is {answer}")

    def is_unknown(self, answer):
        return answer.status == 200 and answer.json()["asyncOperation"]["status"] == "NOT_FOUND"


ALL = (Location(), Prefer(), Status(), Token())
TOKEN = ALL[-1]


def read_any_id(answer):
    """The operation of a 202 of any style, and of one of a resource."""
    place = answer.headers["GW-Async-Location"]
    link = answer.headers["Link"] or ""
    if place:
        return place.rpartition("/")[2]
    if "/operations/" in link:
        return link.partition(">")[0].rpartition("/")[2]
    expect(answer.headers["Location"], f"a 202 that names no operation: {answer}")
    return answer.headers["Location"].rpartition("/")[2]
