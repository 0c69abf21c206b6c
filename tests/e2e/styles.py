"""The styles of asynchronous calls, each told how to ask, read the id, poll, tell every state, and cancel."""

import re

import expect
import harness
from expect import ISO8601, UUID4, check_not_cached, check_not_ended, check_problem


class Style:
    """How one style looks from outside; its names are those of the contract, 5."""

    name = ""
    route_style = "sync"
    accepted = 202
    expired = (410, "expired")  # what its monitor answers to a cancel once the result is gone
    fields = {}
    async_query = ""

    @property
    def path(self):
        """Where its route is in the scenes' configuration."""
        return f"/job/{self.name}"

    def ask(self, server, body=b'{"n":1}', path=None, method="POST", query="", fields=()):
        target = (path or self.path) + "&".join(["?" + part for part in (self.async_query, query) if part])
        return server.call(method, target, body, {"Content-Type": "application/json", **self.fields, **dict(fields)})

    def start(self, server, **how):
        """Asks, checks the 202 word for word, and returns the id."""
        return self.check_accepted(server, self.ask(server, **how))

    def check_accepted(self, server, response):
        raise NotImplementedError

    def target(self, id_):
        raise NotImplementedError

    def poll(self, server, id_, fields=(), method="GET"):
        return server.call(method, self.target(id_), None, fields)

    def wait(self, server, id_):
        """Holds a monitor until the operation has ended."""
        return self.poll(server, id_, {"Prefer": "wait=20"})

    def cancel_target(self, id_):
        """Where DELETE cancels."""
        return self.target(id_)

    def cancel(self, server, id_, fields=()):
        return server.call("DELETE", self.cancel_target(id_), None, fields)

    def check_pending(self, server, response, id_, state):
        """state: queued or running."""
        raise NotImplementedError

    def check_ended(self, server, response, id_, final, problem=None):
        """final is the response that the call would have had, had it been synchronous."""
        raise NotImplementedError

    def check_cancelled(self, server, id_):
        response = self.poll(server, id_)
        self.check_failed_as(server, response, id_, 410, "cancelled")

    def check_failed_as(self, server, response, id_, status, problem):
        """Ended by a problem of the server's own."""
        raise NotImplementedError

    def is_ended(self, response):
        raise NotImplementedError

    def check_unknown(self, response):
        check_problem(response, 404, "not-found")
        check_not_cached(response)

    def check_expired(self, response, id_, status):
        document = check_problem(response, 410, "expired")
        assert document.get("operation_status", status) == status
        check_not_cached(response)

    def is_expired(self, response):
        return response.status == 410 and response.json()["type"] == "/problems/expired"

    def is_forgotten(self, response):
        return response.status == 404

    def check_overload(self, response, status, name=None):
        expect.check_overload(response, (status,), name)

    def timeless(self, body):
        """What a monitor says without what is told by the clock."""
        return body

    def __repr__(self):
        return self.name


class Location(Style):
    """Cisco PCCE: ?async=true; the final response at /operations/ID."""

    name = "location"
    async_query = "async=true"

    def check_accepted(self, server, response):
        id_ = self.check_progress(server, response, ("IN_QUEUE", "IN_PROGRESS"))
        assert response.get("GW-Async-Location") is None
        assert response.get("Preference-Applied") is None
        return id_

    def check_progress(self, server, response, words):
        assert response.status == 202, response
        check_not_ended(response)
        match = re.fullmatch(re.escape(server.base) + f"/operations/({UUID4})", response.get("Location"))
        assert match, response
        assert response.media_type() == "application/json"
        document = response.json()
        assert list(document) == ["progress"] and document["progress"] in words, response
        return match[1]

    def target(self, id_):
        return f"/operations/{id_}"

    def check_pending(self, server, response, id_, state):
        word = {"queued": "IN_QUEUE", "running": "IN_PROGRESS"}[state]
        assert self.check_progress(server, response, (word,)) == id_

    def is_ended(self, response):
        return response.status != 202

    def check_ended(self, server, response, id_, final, problem=None):
        check_same_final(response, final)

    def check_failed_as(self, server, response, id_, status, problem):
        check_problem(response, status, problem)
        check_not_cached(response)
        check_async_result(response, status)


class Status(Style):
    """Cisco CloudCenter: an operationStatus resource."""

    name = "status"
    route_style = "status"
    members = {"operationId", "id", "status", "resource", "resourceUrl", "msg", "progress", "additionalParameters"}

    def check_accepted(self, server, response):
        assert response.status == 202, response
        check_not_ended(response)
        url = response.get("Location")
        match = re.fullmatch(re.escape(server.base) + f"/v1/operationStatus/({UUID4})", url)
        assert match, response
        assert response.media_type() == "application/json"
        assert response.json() == {"id": match[1], "operationId": match[1], "status": "RUNNING", "resource": url,
                                   "resourceUrl": url}
        assert response.get("Preference-Applied") is None
        return match[1]

    def target(self, id_):
        return f"/v1/operationStatus/{id_}"

    def check_document(self, server, response, id_, status):
        assert response.status == 200, response
        check_not_cached(response)
        assert response.media_type() == "application/json"
        document = response.json()
        assert set(document) == self.members, document
        assert document["operationId"] == document["id"] == id_
        assert document["status"] == status, document
        assert type(document["progress"]) is int and 0 <= document["progress"] <= 100
        assert document["additionalParameters"] == []
        assert isinstance(document["msg"], str) and document["msg"], document
        return document

    def check_pending(self, server, response, id_, state):
        document = self.check_document(server, response, id_, "RUNNING")
        check_not_ended(response)
        assert document["resource"] == server.base + self.target(id_)
        assert document["resourceUrl"] == document["resource"]

    def is_ended(self, response):
        return response.json()["status"] != "RUNNING"

    def check_ended(self, server, response, id_, final, problem=None):
        document = self.check_document(server, response, id_, "SUCCESS" if final.status < 400 else "FAILED")
        check_async_result(response, final.status)
        assert response.get("Retry-After") is None
        location = final.get("Location") if final.status < 400 else None
        assert document["resource"] == (location or server.base + self.target(id_))
        assert document["resourceUrl"] == document["resource"]

    def check_failed_as(self, server, response, id_, status, problem):
        document = self.check_document(server, response, id_, "FAILED")
        check_async_result(response, status)
        assert response.get("Retry-After") is None
        assert document["resource"] == server.base + self.target(id_)

    def check_unknown(self, response):
        super().check_unknown(response)
        assert response.json()["msg"], response

    def check_expired(self, response, id_, status):
        super().check_expired(response, id_, status)
        assert response.json()["msg"], response

    def check_overload(self, response, status, name=None):
        super().check_overload(response, status, name)
        assert response.json()["msg"], response


class Token(Style):
    """Paxport: a token polled at the route's own path."""

    name = "token"
    route_style = "token"

    def check_accepted(self, server, response):
        assert response.status == 202, response
        check_not_ended(response)
        assert response.media_type() == "application/json"
        document = response.json()
        id_ = document["asyncOperation"]["token"]
        assert re.fullmatch(UUID4, id_), document
        assert document == {"asyncOperation": {"token": id_, "status": "IN_PROGRESS"}}
        assert response.get("Link") == f'<{server.base}/operations/{id_}>; rel="monitor"'
        assert response.get("Location") == f"{server.base}/operations/{id_}"
        assert response.get("Preference-Applied") is None
        return id_

    def target(self, id_):
        return f"{self.path}/poll?asyncOperationToken={id_}"

    def check_operation(self, response, id_, status):
        """Returns the document without asyncOperation: the result, once it is there, stands beside that."""
        assert response.status == 200, response
        check_not_cached(response)
        assert response.media_type() == "application/json"
        document = response.json()
        assert document.pop("asyncOperation") == {"token": id_, "status": status}, response
        assert set(document) <= {"result", "resultStatus", "resultEncoding"} if status == "READY" else not document, response
        if status != "IN_PROGRESS":
            assert response.get("Retry-After") is None
        return document

    def check_pending(self, server, response, id_, state):
        self.check_operation(response, id_, "IN_PROGRESS")
        check_not_ended(response)

    def is_ended(self, response):
        return response.json()["asyncOperation"]["status"] != "IN_PROGRESS"

    def check_ended(self, server, response, id_, final, problem=None):
        document = self.check_operation(response, id_, "READY")
        check_async_result(response, final.status)
        assert is_json(final), "the scenes' results are JSON"
        assert strip_instance(document.pop("result")) == strip_instance(final.json())
        assert document == {"resultStatus": final.status}

    def check_failed_as(self, server, response, id_, status, problem):
        document = self.check_operation(response, id_, "READY")
        check_async_result(response, status)
        assert document["resultStatus"] == status
        expect.check_document(document["result"], status, problem)

    def check_unknown(self, response):
        id_ = response.json()["asyncOperation"]["token"]
        self.check_operation(response, id_, "NOT_FOUND")

    def check_expired(self, response, id_, status):
        self.check_operation(response, id_, "EXPIRED")

    def is_expired(self, response):
        return response.json()["asyncOperation"]["status"] == "EXPIRED"

    def is_forgotten(self, response):
        return response.json()["asyncOperation"]["status"] == "NOT_FOUND"


class Prefer(Style):
    """Guidewire Cloud API: Prefer: respond-async."""

    name = "prefer"
    fields = {"Prefer": "respond-async"}

    def check_accepted(self, server, response):
        assert response.status == 202, response
        check_not_ended(response)
        assert response.body == b"" and response.get("Content-Type") is None
        match = re.fullmatch(f"/async/v1/requests/({UUID4})", response.get("GW-Async-Location"))
        assert match, response
        assert response.get("Location") == f"{server.base}/operations/{match[1]}"
        assert response.get("Preference-Applied") == "respond-async"
        return match[1]

    def target(self, id_):
        return f"/async/v1/requests/{id_}"

    def check_attributes(self, response, id_, status):
        assert response.status == 200, response
        check_not_cached(response)
        assert response.media_type() == "application/json"
        document = response.json()
        assert set(document) == {"data"} and set(document["data"]) == {"attributes"}
        attributes = document["data"]["attributes"]
        assert attributes["id"] == id_ and attributes["status"] == status, attributes
        assert ISO8601.match(attributes["createdDate"])
        return attributes

    def check_pending(self, server, response, id_, state):
        attributes = self.check_attributes(response, id_, {"queued": "Accepted", "running": "In Progress"}[state])
        assert set(attributes) == {"id", "status", "createdDate"}
        check_not_ended(response)
        early = server.get(self.target(id_) + "/response")
        assert early.status == 202 and early.get("GW-Async-Location") == self.target(id_)
        check_not_ended(early)

    def is_ended(self, response):
        return response.json()["data"]["attributes"]["status"] == "Complete"

    def check_complete(self, response, id_):
        attributes = self.check_attributes(response, id_, "Complete")
        assert response.get("Retry-After") is None
        assert ISO8601.match(attributes["completedDate"])
        assert attributes["createdDate"] <= attributes["completedDate"]
        return attributes

    def check_ended(self, server, response, id_, final, problem=None):
        attributes = self.check_complete(response, id_)
        check_async_result(response, final.status)
        assert attributes["responseStatus"] == final.status
        assert join_fields(attributes["responseHeaders"].items()) == join_fields(own_fields(final))
        if is_json(final):
            assert strip_instance(attributes["responseBodyJson"]) == strip_instance(final.json())
        else:
            assert "responseBodyJson" not in attributes
        check_same_final(server.get(self.target(id_) + "/response"), final)

    def check_failed_as(self, server, response, id_, status, problem):
        attributes = self.check_complete(response, id_)
        assert attributes["responseStatus"] == status
        expect.check_document(attributes["responseBodyJson"], status, problem)
        final = server.get(self.target(id_) + "/response")
        check_problem(final, status, problem)
        check_not_cached(final)

    def check_unknown(self, response):
        super().check_unknown(response)


class Azure(Style):
    """Azure's guidelines and Resource Manager: a monitor that is 200 in every state."""

    name = "azure"
    route_style = "azure"
    expired = (404, "not-found")
    members = {"id", "name", "status", "startTime", "percentComplete"}

    def check_accepted(self, server, response):
        assert response.status == 202, response
        check_not_ended(response)
        url = response.get("Operation-Location")
        match = re.fullmatch(re.escape(server.base) + f"/azure/operations/({UUID4})", url)
        assert match, response
        assert response.get("Azure-AsyncOperation") == url
        assert response.get("Location") == f"{server.base}/operations/{match[1]}"
        assert response.json()["name"] == match[1]
        return match[1]

    def target(self, id_):
        return f"/azure/operations/{id_}"

    def check_operation(self, response, id_, status, more=()):
        assert response.status == 200, response
        check_not_cached(response)
        assert response.media_type() == "application/json"
        document = response.json()
        assert set(document) == self.members | set(more), document
        assert document["id"] == self.target(id_) and document["name"] == id_ and document["status"] == status, document
        assert ISO8601.match(document["startTime"])
        assert type(document["percentComplete"]) is int and 0 <= document["percentComplete"] <= 100
        return document

    def check_pending(self, server, response, id_, state):
        self.check_operation(response, id_, {"queued": "NotStarted", "running": "Running"}[state])
        check_not_ended(response)

    def is_ended(self, response):
        return response.json()["status"] not in ("NotStarted", "Running")

    def check_ended(self, server, response, id_, final, problem=None):
        assert response.get("Retry-After") is None
        check_async_result(response, final.status)
        if final.status < 400:
            document = self.check_operation(response, id_, "Succeeded", {"endTime", "resourceLocation"})
            assert document["resourceLocation"] == f"{server.base}/operations/{id_}"
        else:
            self.check_operation(response, id_, "Failed", {"endTime", "error"})
            assert response.json()["error"]["message"]

    def check_failed_as(self, server, response, id_, status, problem):
        assert response.get("Retry-After") is None
        check_async_result(response, status)
        if problem == "cancelled":
            self.check_operation(response, id_, "Canceled", {"endTime"})
        else:
            document = self.check_operation(response, id_, "Failed", {"endTime", "error"})
            assert document["error"]["code"] == problem and document["error"]["message"]

    def check_unknown(self, response):
        super().check_unknown(response)
        assert response.json()["error"]["code"] == "not-found"

    def check_expired(self, response, id_, status):
        self.check_unknown(response)
        assert self.is_expired(response)

    def is_expired(self, response):
        return response.status == 404 and "no longer kept" in response.json()["error"]["message"]

    def is_forgotten(self, response):
        return response.status == 404 and "no longer kept" not in response.json()["error"]["message"]

    def check_overload(self, response, status, name=None):
        super().check_overload(response, status, name)
        assert response.json()["error"] == {"code": response.json()["type"].rpartition("/")[2], "message": response.json()["detail"]}


class Prediction(Style):
    """The shape that replicate's clients poll, below the route's own path."""

    name = "prediction"
    route_style = "prediction"
    accepted = 201
    members = {"id", "status", "input", "output", "error", "logs", "metrics", "created_at", "started_at", "completed_at", "urls"}
    paths = {}  # of the routes, by id

    def check_accepted(self, server, response):
        assert response.status == 201, response
        id_ = response.json()["id"]
        assert re.fullmatch(UUID4, id_), response
        assert response.get("Location") == response.get("Content-Location") == f"{server.base}/operations/{id_}"
        url = response.json()["urls"]["get"]
        assert url.startswith(server.base + "/") and url.endswith(f"/{id_}"), url
        self.paths[id_] = url[len(server.base):]
        return id_

    def target(self, id_):
        return self.paths.get(id_, f"{self.path}/{id_}")

    def cancel_target(self, id_):
        return f"/operations/{id_}"

    def check_prediction(self, server, response, id_, status, code=200):
        assert response.status == code, response
        check_not_cached(response)
        document = response.json()
        assert set(document) == self.members and document["id"] == id_ and document["status"] == status, document
        url = server.base + self.target(id_)
        assert document["urls"] == {"get": url, "cancel": url + "/cancel"}
        assert ISO8601.match(document["created_at"])
        assert (document["completed_at"] is None) == (status in ("starting", "processing"))
        assert (document["error"] is None) == (status != "failed") and isinstance(document["logs"], str)
        return document

    def check_pending(self, server, response, id_, state):
        document = self.check_prediction(server, response, id_, {"queued": "starting", "running": "processing"}[state])
        assert document["output"] is None and document["metrics"] == {}
        assert (document["started_at"] is None) == (state == "queued")
        check_not_ended(response)

    def is_ended(self, response):
        return response.json()["completed_at"] is not None

    def check_ended(self, server, response, id_, final, problem=None):
        assert response.get("Retry-After") is None
        check_async_result(response, final.status)
        document = self.check_prediction(server, response, id_, "succeeded" if final.status < 400 else "failed")
        if final.status >= 400:
            assert document["output"] is None
        elif final.body:
            assert strip_instance(document["output"]) == (final.json() if is_json(final) else f"{server.base}/operations/{id_}")
        if final.status < 400:
            assert document["metrics"]["predict_time"] >= 0

    def check_failed_as(self, server, response, id_, status, problem):
        assert response.get("Retry-After") is None
        check_async_result(response, status)
        self.check_prediction(server, response, id_, "canceled" if problem == "cancelled" else "failed")


class Google(Style):
    """AIP-151: an Operation of google.longrunning."""

    name = "google"
    route_style = "google"
    accepted = 200
    struct = "type.googleapis.com/google.protobuf.Struct"
    codes = {"queue-timeout": 4, "run-timeout": 4, "cancelled": 1}

    def check_accepted(self, server, response):
        assert response.status == 200, response
        match = re.fullmatch(f"operations/({UUID4})", response.json()["name"])
        assert match, response
        assert response.get("Location") == response.get("Content-Location") == f"{server.base}/{match[0]}"
        self.check_operation(response, match[1], response.json()["done"], set(response.json()) & {"response", "error"})
        return match[1]

    def target(self, id_):
        return f"/v1/operations/{id_}"

    def cancel_target(self, id_):
        return f"/operations/{id_}"

    def check_operation(self, response, id_, done, more=()):
        assert response.status == 200, response
        check_not_cached(response)
        document = response.json()
        assert set(document) == {"name", "metadata", "done"} | set(more), document
        assert document["name"] == f"operations/{id_}" and document["done"] is done
        assert document["metadata"]["@type"] == self.struct and document["metadata"]["value"]["id"] == id_
        return document

    def check_pending(self, server, response, id_, state):
        document = self.check_operation(response, id_, False)
        assert document["metadata"]["value"]["state"] == state
        check_not_ended(response)

    def is_ended(self, response):
        return response.json()["done"]

    def check_ended(self, server, response, id_, final, problem=None):
        assert response.get("Retry-After") is None
        check_async_result(response, final.status)
        if final.status >= 400:
            self.check_error(response, id_, 13)
            return
        document = self.check_operation(response, id_, True, {"response"})
        assert set(document["response"]) == {"@type", "value"} and document["response"]["@type"] == self.struct
        if is_json(final) and isinstance(final.json(), dict):
            assert strip_instance(document["response"]["value"]) == strip_instance(final.json())
        else:
            assert "body" in document["response"]["value"]

    def timeless(self, body):
        return re.sub(rb'"expires_at":"[^"]*"', b"", body)

    def check_error(self, response, id_, code):
        error = self.check_operation(response, id_, True, {"error"})["error"]
        assert set(error) == {"code", "message", "details"} and error["code"] == code and error["message"], error

    def check_failed_as(self, server, response, id_, status, problem):
        assert response.get("Retry-After") is None
        check_async_result(response, status)
        self.check_error(response, id_, self.codes.get(problem, 13))

    def check_unknown(self, response):
        super().check_unknown(response)
        assert response.json()["error"]["status"] == "NOT_FOUND" and response.json()["error"]["code"] == 404

    def check_overload(self, response, status, name=None):
        super().check_overload(response, status, name)
        assert response.json()["error"]["status"] == {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}[status]


LOCATION, STATUS, TOKEN, PREFER, AZURE, GOOGLE, PREDICTION = STYLES = (
    Location(), Status(), Token(), Prefer(), Azure(), Google(), Prediction())


def is_json(response):
    return response.media_type() == "application/json" or response.media_type().endswith("+json")


# What the connection and the monitor add to a final response, or take from it.
NOT_OF_THE_WORK = {"date", "content-length", "cache-control", "connection", "preference-applied", "keep-alive",
                   "asyncresult", "x-request-id"}


def own_fields(response):
    return [(name, value) for name, value in response.fields if name.lower() not in NOT_OF_THE_WORK]


def join_fields(pairs):
    """Fields by lower-case name, repeated ones joined as one list."""
    joined = {}
    for name, value in pairs:
        if name.lower() not in NOT_OF_THE_WORK:
            joined.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in joined.items()}


def strip_instance(document):
    """A problem names its operation, which is another one in the response it is compared with."""
    if isinstance(document, dict) and str(document.get("type", "")).startswith("/problems/"):
        return {name: value for name, value in document.items() if name != "instance"}
    return document


def check_async_result(response, status):
    """A monitor whose operation has ended says in AsyncResult with which status code."""
    assert response.get("AsyncResult") == str(status), response


def check_same_final(response, final):
    """A monitor's rendering of a final response: everything but Cache-Control and AsyncResult as it was."""
    check_not_cached(response)
    check_async_result(response, final.status)
    assert response.status == final.status, response
    assert response.reason == final.reason
    assert sorted(own_fields(response)) == sorted(own_fields(final)), (response, final)
    assert response.get("Retry-After") == final.get("Retry-After")
    if is_json(final) and final.media_type() == expect.PROBLEM_TYPE:
        assert strip_instance(response.json()) == strip_instance(final.json())
    else:
        assert response.body == final.body


def routes(gate, **settings):
    """A route a style at /job/STYLE (echoes its body once it may) and at /cgi/STYLE (answers as a CGI program)."""
    made = []
    for style in STYLES:
        for path, protocol in (("/job/", "filter"), ("/cgi/", "cgi")):
            program = {"argv": [str(harness.PROGRAMS / "job"), str(gate)], "protocol": protocol}
            if protocol == "filter":
                program["response_type"] = "application/json"
            made.append({"path": path + style.name, "style": style.route_style, "program": program,
                         "methods": ["POST", "PUT", "PATCH", "DELETE"], **settings})
    return made


def unknown_id():
    """An id that no operation has; always the same, as it stands in the names of tests."""
    return "3f0c9a52-7d1e-4b86-9e5a-c1d20b7f6e48"
