/** What `initThreads({ threads: 2 })` gives in a scope, and that calls on them have the bits of one thread. */
type Library = typeof import("../../../src/index.js");
type Threads = typeof import("../../../src/threads/index.js");

export interface ThreadsReport {
  threads: number;
  reason?: string | undefined;
}

const OPTIONS = { inputSize: 40, hiddenSize: 128 };
/** A worker comes when it can: the first calls may be one thread's. */
const CALLS = 30;
/** On a busy machine workers may start later than they are waited for. */
const ATTEMPTS = 3;
const LATE = "within 10 seconds";

/** @param worker the URL of lstm-wasm/threads/worker.js, for pages that forbid blobs */
export async function reportThreads(
  { LSTM, Tensor }: Library,
  { initThreads, endThreads }: Threads,
  worker?: string,
): Promise<ThreadsReport> {
  const input = Tensor.randn([40, 3, OPTIONS.inputSize], 1);
  const alone = new LSTM(OPTIONS);
  let given = await initThreads({ threads: 2, worker });
  for (let attempt = 1; attempt < ATTEMPTS && given.reason?.includes(LATE); attempt++)
    given = await initThreads({ threads: 2, worker });
  const shared = new LSTM(OPTIONS).loadStateDict(alone.stateDict());
  const expected = alone.forward(input)[0].data;
  const compare = (when: string) => {
    const { data } = shared.forward(input)[0];
    const at = data.findIndex((value, index) => !Object.is(value, expected[index]));
    if (at >= 0 || data.length !== expected.length)
      throw new Error(`other bits ${when} in ${given.threads} threads: ${data[at]} for ${expected[at]}`);
  };
  for (let call = 1; call <= CALLS; call++) compare(`in call ${call}`);
  await endThreads();
  compare("after endThreads");
  alone.dispose();
  shared.dispose();
  return given;
}
