/** A process with one library alone, ours or onnxruntime-web, on several threads: what a call takes. */
import { initThreads } from "../../dist/threads/index.js";
import { measure } from "../measure.js";
import { PEERS } from "../peers/index.js";
import { create } from "../peers/onnxruntime.js";
import { threadCase } from "./cases.js";
import { createSubject } from "./subject.js";

export default async function beside({ caseName, side, threads, ...timing }) {
  if (side === "ours") {
    await initThreads({ threads });
    return measure((await createSubject(caseName)).call, timing);
  }
  const { recurrent, precision } = threadCase(caseName);
  const { call } = await create(recurrent, "web", precision, threads);
  const warmupMs = Math.max(timing.warmupMs, PEERS.web.leastWarmupMs);
  return measure(call, { ...timing, warmupMs });
}
