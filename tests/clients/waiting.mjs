// HTTP clients that retry: each waits for an asynchronous call of its own.  Prints what each got as JSON.
import axios from "axios";
import axiosRetry from "axios-retry";
import got from "got";
import ky from "ky";

const [base, path] = process.argv.slice(2);
const url = new URL(path, base).href;
const outcome = {};

{
  const client = axios.create({ validateStatus: (status) => status === 200 });
  axiosRetry(client, { retries: 50, retryDelay: () => 20, retryCondition: (error) => error.response?.status === 202 });
  const accepted = await axios.post(url, "axios");
  outcome.axios = (await client.get(accepted.headers.location)).data;
}
{
  const accepted = await got.post(url, { body: "got" });
  const answer = await got(accepted.headers.location, {
    retry: { limit: 50, calculateDelay: ({ attemptCount }) => (attemptCount < 50 ? 20 : 0) },
    hooks: { afterResponse: [(response, retry) => (response.statusCode === 202 ? again() : response)] },
  });
  async function again() {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return got(accepted.headers.location, { hooks: { afterResponse: [(response) => (response.statusCode === 202 ? again() : response)] } });
  }
  outcome.got = answer.body;
}
{
  const accepted = await ky.post(url, { body: "ky" });
  const answer = await ky.get(accepted.headers.get("location"), {
    retry: { limit: 50, delay: () => 20, statusCodes: [202] },
    hooks: { afterResponse: [(request, options, response) => (response.status === 202 ? poll(request) : response)] },
  });
  async function poll(request) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const next = await fetch(request.url);
    return next.status === 202 ? poll(request) : next;
  }
  outcome.ky = await answer.text();
}
console.log(JSON.stringify(outcome));
