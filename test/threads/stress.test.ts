/** Five seconds of `npm run stress:threads`, from another seed each time. */
import { expect, it } from "vitest";
import * as index from "../../src/index.js";
import * as models from "../../src/models/index.js";
import * as threads from "../../src/threads/index.js";
import { stress } from "./stress.js";

it("gives the bits of one thread in random calls on random threads, of which some are slowed", async () => {
  const counts = await stress({ ...models, ...index, ...threads }, { seconds: 5, seed: Date.now() % 1e6 });
  expect(counts.calls).toBeGreaterThan(0);
  expect(counts.pools).toBeGreaterThan(0);
});
