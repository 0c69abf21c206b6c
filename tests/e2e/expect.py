"""What every answer of the server must be like, whatever the test is about."""

import re

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
HTTP_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
                       r" \d{4} \d\d:\d\d:\d\d GMT\Z")
ISO8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
PROBLEM_TYPE = "application/problem+json"

# By type: the title is a constant of the type (RFC 9457, 3.1.3).
titles = {}


def check_document(document, status, name=None):
    """A problem document (RFC 9457) that goes with that status; of /problems/NAME where name is given."""
    assert re.fullmatch(r"/problems/[a-z][a-z0-9-]*", document["type"]), document
    assert isinstance(document["title"], str) and document["title"], document
    assert isinstance(document["detail"], str) and document["detail"], document
    assert document["status"] == status and type(document["status"]) is int, document
    assert isinstance(document.get("instance", ""), str), document
    assert titles.setdefault(document["type"], document["title"]) == document["title"], document
    for error in document.get("errors", []):
        assert set(error) <= {"pointer", "keyword", "message"} and error["message"], document
    if name is not None:
        assert document["type"] == f"/problems/{name}", document
    return document


def check_problem(response, status, name=None):
    """A response that is a problem with that status; returns its document."""
    assert response.status == status, response
    assert response.get("Content-Type") == PROBLEM_TYPE, response
    return check_document(response.json(), status, name)


def check_answer(response, method):
    """What holds for every final answer; both clients apply it to each."""
    assert response.get("Date") and HTTP_DATE.match(response.get("Date")), response
    if response.status == 202:
        check_not_ended(response)
        assert re.search(f"/operations/{UUID4}$", response.get("Content-Location") or ""), response
    if response.media_type() == PROBLEM_TYPE and method != "HEAD":
        check_document(response.json(), response.status)
    if response.status in (429, 503) and response.media_type() == PROBLEM_TYPE:
        assert re.fullmatch(r"[1-9][0-9]*", response.get("Retry-After") or ""), response
    if response.status == 405:
        assert response.get("Allow"), response
    if response.status in (204, 304):
        assert response.get("Content-Length") in (None, "0") and response.body == b""
    for name in ("Content-Type", "Location", "Cache-Control", "Retry-After", "Content-Length", "Connection"):
        response.get(name)


def check_not_ended(response):
    """A 202, or a 200 of a monitor whose operation has not ended."""
    check_not_cached(response)
    assert re.fullmatch(r"[1-9][0-9]*", response.get("Retry-After") or ""), response


def check_not_cached(response):
    assert response.get("Cache-Control") == "no-store", response


def check_overload(response, statuses, name=None):
    assert response.status in statuses, response
    check_problem(response, response.status, name)
    assert re.fullmatch(r"[1-9][0-9]*", response.get("Retry-After") or ""), response
