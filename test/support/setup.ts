/** Each project of test/vitest.config.ts runs on the build it is named after, from the file it names, or not at all. */
import { readFileSync } from "node:fs";
import { relaxedSimd, simd } from "../../src/bundle/embedded.js";
import { currentRuntime, init } from "../../src/wasm/current.js";

const { WASM_BUILD: build, WASM_FILE: file } = process.env;
init({ deterministic: build === "simd" });
if (currentRuntime().build !== build) {
  throw new Error(`expected the ${build} build, got ${currentRuntime().build}`);
}
const binary = build === "simd" ? simd() : relaxedSimd();
if (!readFileSync(new URL(`../../build/${file}.wasm`, import.meta.url)).equals(binary)) {
  throw new Error(`expected the bytes of build/${file}.wasm, got others; npm run build:wasm embeds them`);
}
