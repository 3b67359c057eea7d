/** Each project of test/vitest.config.ts runs on the build it is named after, or not at all. */
import { currentRuntime, init } from "../../src/wasm/runtime.js";

const build = process.env.WASM_BUILD;
init({ deterministic: build === "simd" });
if (currentRuntime().build !== build) {
  throw new Error(`expected the ${build} build, got ${currentRuntime().build}`);
}
