/** The binary by which threads share a job, inside the bundle of `lstm-wasm/threads`, as embedded.ts has the core's. */

import threadsText from "../../build/threads.txt";
import { unpack } from "./unpack.js";

/** Undefined on platforms that have no threads. */
export const sharing: (() => Uint8Array<ArrayBuffer>) | undefined = () => unpack(threadsText(), 0);
