/**
 * The thread in which cli.ts runs the command and modules: each call imports its file anew, as a process does, and the
 * package that it imports stays loaded. What it prints and its exit code go back to the thread that waits for them.
 */
import { workerData } from "node:worker_threads";

const { port, signal } = workerData;
let calls = 0;

port.on("message", async ({ url, args }) => {
  const [stdout, stderr] = [process.stdout, process.stderr].map(captured);
  process.argv = [process.argv[0], url, ...args];
  process.exitCode = undefined;
  try {
    await import(`${url}?call=${calls++}`);
    // What a file leaves for later, such as an error of its output, is part of the call.
    await new Promise((resolve) => setImmediate(resolve));
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(String(error?.stack ?? error));
  }
  process.removeAllListeners("uncaughtException");
  port.postMessage({ code: process.exitCode ?? 0, out: stdout(), error: stderr() });
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
});

/** Keeps what is written to a stream; the function gives it, and lets the stream be as it was. */
function captured(stream) {
  const chunks = [];
  const { write } = stream;
  const listeners = stream.listeners("error");
  stream.write = (chunk, ...more) => {
    chunks.push(Buffer.from(chunk));
    const done = more.at(-1);
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  return () => {
    stream.write = write;
    for (const listener of stream.listeners("error"))
      if (!listeners.includes(listener)) stream.off("error", listener);
    return Buffer.concat(chunks).toString();
  };
}
