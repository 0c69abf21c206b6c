// google-gax: an operation that is awaited, or cancelled, over REST.  Prints the outcome as JSON.
import google from "google-gax";
import { readFileSync } from "node:fs";

const [base, what, path, body] = process.argv.slice(2);
const { hostname, port } = new URL(base);
const gax = google.fallback;
const auth = {
  fetch: (url, options) => fetch(url, options),
  getRequestHeaders: async () => new Headers(),
  getUniverseDomain: async () => "googleapis.com",
};

// The types of a service: those of long-running operations, and that of its results.
const types = JSON.parse(readFileSync("node_modules/google-gax/build/protos/operations.json"));
const results = google.protobuf.common.get("google/protobuf/struct.proto");
Object.assign(types.nested.google.nested.protobuf.nested, results.nested.google.nested.protobuf.nested);
const protoJson = google.protobuf.Root.fromJSON(types);
const struct = protoJson.lookupType("google.protobuf.Struct");

const operations = gax.lro({ auth, fallback: true, protoJson }).operationsClient({ servicePath: hostname, port: Number(port), protocol: "http" });
const decode = (bytes) => struct.toObject(struct.decode(bytes), { json: true });
const descriptor = new gax.LongrunningDescriptor(operations, decode, decode);
const backoff = gax.createDefaultBackoffSettings();
backoff.initialRetryDelayMillis = 20;

const answer = await fetch(new URL(path, base), { method: "POST", body, headers: { "Content-Type": "application/json" } });
const started = await answer.json();
const outcome = { accepted: answer.status, name: started.name };
try {
  const operation = new gax.Operation({ name: started.name, done: false }, descriptor, backoff, {});
  if (what === "cancel") await operation.cancel();
  if (what === "list") {
    await operation.promise();
    const [listed] = await operations.listOperations({ name: "operations", filter: "done=true" });
    outcome.listed = listed.map((one) => one.name);
  } else {
    const [result, metadata] = await operation.promise();
    outcome.result = result;
    outcome.metadata = metadata;
  }
} catch (error) {
  outcome.error = { message: error.message, code: error.code };
}
console.log(JSON.stringify(outcome));
process.exit(0);
