/** Runs every peer on one case and gives each peer's largest absolute difference to ours. Arguments: case, peers. */
import { caseNamed } from "../cases.js";
import { PEERS } from "../peers/index.js";

/** Calls in a row where the state is carried, so that the handing over of states is checked too. */
const CARRIED_CALLS = 5;

export default async function check({ caseName, peers }) {
  const spec = caseNamed(caseName);
  const expected = await resultsOf("relaxed", spec);
  const differences = {};
  for (const name of peers) {
    if (name === "relaxed") continue;
    const got = await resultsOf(name, spec);
    differences[name] = Math.max(...expected.map((data, which) => largestDifference(data, got[which], name)));
  }
  return differences;
}

async function resultsOf(name, spec) {
  const peer = await PEERS[name].create(spec);
  for (let calls = spec.carried ? CARRIED_CALLS : 1; calls > 0; calls--) await peer.call();
  return peer.results().map((data) => data.slice());
}

function largestDifference(expected, got, name) {
  if (got?.length !== expected.length) {
    throw new Error(`${name}: expected ${expected.length} numbers, got ${got?.length}`);
  }
  let largest = 0;
  for (let at = 0; at < expected.length; at++) largest = Math.max(largest, Math.abs(got[at] - expected[at]));
  if (Number.isNaN(largest)) throw new Error(`${name}: a result is NaN`);
  return largest;
}
