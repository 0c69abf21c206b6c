"""Clients that know nothing of this server wait for its calls as they wait for those that they were written for."""

import json
import subprocess
import time

import pytest
import requests
import tenacity
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import RequestIdPolicy
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import LROBasePolling
from azure.core.rest import HttpRequest
from azure.mgmt.core.polling.arm_polling import ARMPolling
from libcloud.common.base import JsonResponse, PollingConnection
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

import harness
from harness import route

CAT = {"argv": ["/bin/sh", "-c", "sleep 0.2; cat"], "response_type": "application/json"}
FAILING = {"argv": ["/bin/sh", "-c", "sleep 0.2; exit 65"]}
SLOW = {"argv": ["/bin/sleep", "600"]}
METHODS = ["POST", "PUT", "PATCH", "DELETE"]

@pytest.fixture
def azure(serve):
    return serve([route("/vms", CAT, style="azure", methods=METHODS), route("/failing", FAILING, style="azure", methods=METHODS)])

@pytest.mark.parametrize("method", METHODS)
def test_core_lro(azure, node, method):
    outcome = node("core_lro.mjs", azure.base, "/vms", method, '{"n":1}')
    assert outcome["status"] == "succeeded" and outcome["result"] == {"n": 1}
    assert outcome["seen"][0] == f"{method} /vms 202" and outcome["seen"][-1].startswith("GET /operations/")

def test_core_lro_of_a_failure(azure, node):
    outcome = node("core_lro.mjs", azure.base, "/failing", "POST", "{}")
    assert "program-failed" in outcome["error"]["message"] and "65" in outcome["error"]["message"]

@pytest.mark.parametrize("polling", [LROBasePolling, ARMPolling])
@pytest.mark.parametrize("method", METHODS)
def test_azure_core(azure, polling, method):
    with PipelineClient(azure.base, policies=[RequestIdPolicy()]) as client:
        first = client._pipeline.run(HttpRequest(method, azure.base + "/vms", json={"n": 1}))
        poller = LROPoller(client, first, lambda answer: json.loads(answer.http_response.text()), polling(0.02))
        assert poller.result(20) == {"n": 1} and poller.status() == "Succeeded"

@pytest.mark.parametrize("polling", [LROBasePolling, ARMPolling])
def test_azure_core_of_a_failure(azure, polling):
    with PipelineClient(azure.base, policies=[RequestIdPolicy()]) as client, pytest.raises(HttpResponseError) as failure:
        first = client._pipeline.run(HttpRequest("POST", azure.base + "/failing", json={}))
        LROPoller(client, first, lambda answer: answer, polling(0.02)).result(20)
    assert "program-failed" in str(failure.value)

@pytest.fixture
def google(serve):
    return serve([route("/v1/jobs", CAT, style="google"), route("/v1/failing", FAILING, style="google"), route("/v1/slow", SLOW, style="google")])

def test_gax(google, node):
    outcome = node("gax.mjs", google.base, "await", "/v1/jobs", '{"n":1}')
    assert outcome["result"]["fields"]["n"] == {"numberValue": 1}
    assert outcome["metadata"]["fields"]["state"] == {"stringValue": "succeeded"}

def test_gax_of_a_failure(google, node):
    error = node("gax.mjs", google.base, "await", "/v1/failing", "{}")["error"]
    assert error["code"] == 13 and "65" in error["message"]

def test_gax_cancels(google, node):
    assert node("gax.mjs", google.base, "cancel", "/v1/slow", "{}")["error"]["code"] == 1

def test_gax_lists(google, node):
    outcome = node("gax.mjs", google.base, "list", "/v1/jobs", "{}")
    assert outcome["listed"] == [outcome["name"]]


@pytest.fixture
def replicate(serve):
    return serve([route("/predictions", CAT, style="prediction"), route("/failing/predictions", FAILING, style="prediction"),
                  route("/slow/predictions", SLOW, style="prediction")])

def test_replicate_runs(replicate, node):
    outcome = node("replicate.mjs", replicate.base, "run", '{"prompt":"x"}')
    assert outcome["output"]["input"] == {"prompt": "x"} and outcome["states"][-1] == "succeeded"

def test_replicate_waits(replicate, node):
    outcome = node("replicate.mjs", replicate.base, "create", '{"prompt":"x"}')
    assert (outcome["created"], outcome["status"], outcome["error"]) == ("starting", "succeeded", None)
    assert outcome["output"]["input"] == {"prompt": "x"}

def test_replicate_of_a_failure(replicate, node):
    assert "exit status 65" in node("replicate.mjs", replicate.base + "/failing", "create", "{}")["failure"]

def test_replicate_cancels(replicate, node):
    assert node("replicate.mjs", replicate.base + "/slow", "cancel", "{}")["status"] == "canceled"

@pytest.fixture
def slow(serve):
    return serve([route("/slow", {**CAT, "response_type": "text/plain"}), route("/failing", FAILING)])

def test_axios_got_and_ky(slow, node):
    assert node("waiting.mjs", slow.base, "/slow?async=true") == {"axios": "axios", "got": "got", "ky": "ky"}

def test_requests_with_retry(slow):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(total=60, status_forcelist=[202], backoff_factor=0.01)))
    accepted = requests.post(f"{slow.base}/slow?async=true", b"x", timeout=20)
    assert session.get(accepted.headers["Location"], timeout=20).text == "x"

def test_a_failed_operation_is_no_failed_poll(slow):
    """A client that repeats requests after a 5xx sees the failure, not its expiry."""
    accepted = requests.post(f"{slow.base}/failing?async=true", b"x", timeout=20)
    ended = requests.get(accepted.headers["Location"], headers={"Prefer": "wait=20"}, timeout=30)
    assert ended.status_code == 400 and ended.headers["AsyncResult"] == "400"

def test_tenacity(slow):
    accepted = requests.post(f"{slow.base}/slow?async=true", b"x", timeout=20)

    @tenacity.retry(retry=tenacity.retry_if_result(lambda answer: answer.status_code == 202), wait=tenacity.wait_fixed(0.02),
                    stop=tenacity.stop_after_delay(20))
    def poll():
        return requests.get(accepted.headers["Location"], timeout=20)

    assert poll().text == "x"

class Connection(PollingConnection):
    """libcloud's way: a first request, then the same poll until it is complete."""

    responseCls = JsonResponse
    poll_interval = 0.02

    def get_poll_request_kwargs(self, response, context, request_kwargs):
        return {"action": "/v1/operationStatus/" + response.object["id"], "headers": {}, "method": "GET"}

    def has_completed(self, response):
        return response.object["status"] != "RUNNING"

def test_libcloud(serve):
    server = serve([route("/slow", CAT, style="status")])
    connection = Connection(secure=False, host="127.0.0.1", port=int(server.base.rpartition(":")[2]), timeout=20)
    answer = connection.async_request("/slow", data='{"n":1}', method="POST")
    assert answer.object["status"] == "SUCCESS"

def test_curl_follows_every_202(slow):
    """Content-Location leads to the monitor."""
    accepted = requests.post(f"{slow.base}/slow", b"x", headers={"Prefer": "respond-async"}, timeout=20)
    url = accepted.headers["Content-Location"]
    deadline = time.monotonic() + 20
    while (done := subprocess.run(["curl", "-s", "-w", "%{http_code}", url], capture_output=True, text=True, timeout=20).stdout) != "x200":
        assert done.endswith("202") and time.monotonic() < deadline
        time.sleep(0.02)

def test_openapi(serve, node, tmp_path):
    """The document of a configuration with every style is one that Redocly accepts and openapi-typescript reads."""
    config = {"listen": "127.0.0.1:0", "state": "memory", "routes": [
        route(f"/jobs/{style}", CAT, style=style) for style in ("sync", "status", "token", "azure", "google", "prediction")] + [
            {"path": "/v2/zones", "style": "resource", "collection": {"name": "zones"}}]}
    (tmp_path / "deferd.json").write_text(json.dumps(config))
    document = subprocess.run([harness.find_binary(), "--openapi", "-c", str(tmp_path / "deferd.json")],
                              capture_output=True, text=True, timeout=20, check=True).stdout
    (tmp_path / "openapi.json").write_text(document)
    node("redocly", "lint", "--extends=spec", str(tmp_path / "openapi.json"))
    types = node("openapi-typescript", str(tmp_path / "openapi.json"))
    assert "AzureOperation" in types
