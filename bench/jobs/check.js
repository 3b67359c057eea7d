/** Runs every peer on one case and gives each peer's absolute differences to our float32. Arguments: case, peers. */
import { caseNamed } from "../cases.js";
import { createPeer } from "../peers/index.js";

/** Calls in a row where the state is carried, so that the handing over of states is checked too. */
const CARRIED_CALLS = 5;

export default async function check({ caseName, peers }) {
  const spec = caseNamed(caseName);
  const expected = await resultsOf("relaxed", spec);
  const differences = {};
  for (const name of peers) {
    if (name === "relaxed") continue;
    differences[name] = differencesOf(name, expected, await resultsOf(name, spec));
  }
  return differences;
}

async function resultsOf(name, spec) {
  const peer = await createPeer(name, spec);
  for (let calls = spec.carried ? CARRIED_CALLS : 1; calls > 0; calls--) await peer.call();
  return peer.results().map((data) => data.slice());
}

/** The largest difference over output and states, and the mean of the output's. */
function differencesOf(name, expected, got) {
  const all = expected.map((data, which) => {
    const other = got[which];
    if (other?.length !== data.length) {
      throw new Error(`${name}: expected ${data.length} numbers, got ${other?.length}`);
    }
    return data.map((number, at) => Math.abs(other[at] - number));
  });
  const max = Math.max(...all.map((part) => part.reduce((most, one) => Math.max(most, one), 0)));
  if (Number.isNaN(max)) throw new Error(`${name}: a result is NaN`);
  return { max, mean: all[0].reduce((sum, one) => sum + one, 0) / all[0].length };
}
