/** What each place runs: a hundred steps, the state carried, and the bits of the last output. */
import { caseNamed } from "../cases.js";

const CALLS = 100;

/**
 * @param {() => Promise<{ create: Function }>} load  one of ours.js, web.js, tfjs.js; it may fail where it is evaluated
 * @param {{ binary?: ArrayBuffer, address?: string }} files  the library's wasm, and the address of its folder
 * @returns {Promise<{ bits: number[] } | { error: string }>}
 */
export async function start(load, files = {}) {
  try {
    const { create } = await load();
    const { call, results } = await create(caseNamed("step-32"), files);
    for (let calls = 0; calls < CALLS; calls++) await call();
    return { bits: Array.from(new Uint32Array(results()[0].slice().buffer)) };
  } catch (error) {
    return { error: String(error?.message ?? error).slice(0, 300) };
  }
}
