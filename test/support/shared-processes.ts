/**
 * Which test files get a process of their own. To start one takes half a second of processor time, more than most files'
 * tests. So the others run one after another in few processes, each with modules of its own (fresh-modules.ts).
 */
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { BaseSequencer, ForksPoolWorker, type TestSpecification, type WorkerRequest } from "vitest/node";

/**
 * What measures processor time or the process's memory, fills the memory, counts what runs or is collected, starts
 * threads or processes, or replaces what is global.
 */
const ALONE = [
  /^(cli|examples|package|threads|wasm)\//,
  /(hostile|cost|costly|complexity|fuzz|fields|memory|quantise-at-load)\.test\.ts$/,
];

/** After so many files a process ends, and with it what the collector has left of them. */
const MOST_FILES = 24;

const TESTS = fileURLToPath(new URL("..", import.meta.url));

function isAlone(path: string): boolean {
  const name = relative(TESTS, path).replaceAll(sep, "/");
  return ALONE.some((pattern) => pattern.test(name));
}

interface Files {
  readonly context: { readonly files: readonly { readonly filepath: string }[] };
}

const isTaskAlone = ({ context: { files } }: Files) => files.some(({ filepath }) => isAlone(filepath));

class SharedProcess extends ForksPoolWorker {
  override readonly name = "shared-processes";
  #files = 0;
  #isAlone = false;

  override send(message: WorkerRequest): void {
    if (message.type === "run") {
      this.#files += message.context.files.length;
      this.#isAlone = isTaskAlone(message);
    }
    super.send(message);
  }

  /** Whether another task may follow. vitest asks it of each. */
  canReuse(task: Files): boolean {
    return !this.#isAlone && !isTaskAlone(task) && this.#files < MOST_FILES;
  }
}

/** Of a project in test/vitest.config.ts. */
export const sharedProcesses = {
  isolate: false,
  pool: {
    name: "shared-processes",
    createPoolWorker: (options: ConstructorParameters<typeof ForksPoolWorker>[0]) =>
      new SharedProcess(options),
  },
  sequence: { setupFiles: "list" as const },
};

/** Those alone first: they take longest, and the short ones at the end leave no core idle. */
export class OwnProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const alone = sorted.filter(({ moduleId }) => isAlone(moduleId));
    return [...alone, ...sorted.filter(({ moduleId }) => !isAlone(moduleId))];
  }
}
