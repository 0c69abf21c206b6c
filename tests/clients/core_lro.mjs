// @azure/core-lro: starts a call with METHOD and waits for it as any of Azure's SDKs does.  Prints the outcome as JSON.
import { createHttpPoller } from "@azure/core-lro";

const [base, path, method, body] = process.argv.slice(2);

async function send(verb, url, data) {
  const answer = await fetch(new URL(url, base), { method: verb, body: data, headers: data ? { "Content-Type": "application/json" } : {} });
  const text = await answer.text();
  let parsed;
  try { parsed = text ? JSON.parse(text) : undefined; } catch { parsed = text; }
  seen.push(`${verb} ${new URL(url, base).pathname} ${answer.status}`);
  return {
    flatResponse: parsed,
    rawResponse: {
      statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: parsed,
      request: { method: verb, url: new URL(url, base).href },
    },
  };
}

const seen = [];
const outcome = { seen };
try {
  const poller = createHttpPoller({
    sendInitialRequest: () => send(method, path, body),
    sendPollRequest: (location) => send("GET", location),
  }, { intervalInMs: 20 });
  outcome.result = await poller.pollUntilDone();
  outcome.status = poller.operationState.status;
} catch (error) {
  outcome.error = { message: error.message, code: error.code };
}
console.log(JSON.stringify(outcome));
