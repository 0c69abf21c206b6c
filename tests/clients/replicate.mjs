// replicate: run, wait, failure and cancel of a prediction.  Prints the outcome as JSON.
import Replicate from "replicate";

const [base, what, input] = process.argv.slice(2);
const replicate = new Replicate({ auth: "token", baseUrl: base, useFileOutput: false });
const outcome = {};
try {
  if (what === "run") {
    const states = [];
    outcome.output = await replicate.run("owner/model:1", { input: JSON.parse(input) }, (prediction) => states.push(prediction.status));
    outcome.states = states;
  } else {
    let prediction = await replicate.predictions.create({ version: "1", input: JSON.parse(input) });
    outcome.created = prediction.status;
    if (what === "cancel") prediction = await replicate.predictions.cancel(prediction.id);
    prediction = await replicate.wait(prediction, { interval: 20 });
    outcome.status = prediction.status;
    outcome.output = prediction.output;
    outcome.error = prediction.error;
  }
} catch (error) {
  outcome.failure = error.message;
}
console.log(JSON.stringify(outcome));
