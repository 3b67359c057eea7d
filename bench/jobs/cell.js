/** Times one peer on one case; with `readState` a stream step and a copy of the stream's state. */
import { caseNamed } from "../cases.js";
import { measure } from "../measure.js";
import { createPeer, PEERS } from "../peers/index.js";

export default async function cell({ caseName, peer, warmupMs, measureMs, clock, readState = false }) {
  const { leastWarmupMs = 0 } = PEERS[peer];
  const { call: step, readState: read } = await createPeer(peer, caseNamed(caseName));
  const call = readState
    ? () => {
        step();
        read();
      }
    : step;
  return measure(call, { warmupMs: Math.max(warmupMs, leastWarmupMs), measureMs, clock });
}
