/** What the command says of itself. */
import { EXIT } from "./error.js";

export interface Command {
  /** How it is called, after `lstm-wasm`. */
  readonly usage: string;
  /** One line. */
  readonly purpose: string;
  /** Options that take a value show a word for it: `--path KEY`. */
  readonly options: readonly (readonly [option: string, meaning: string])[];
  readonly examples: readonly string[];
  /** Codes other than 0 and 1, of which `EXIT` has the meaning. */
  readonly exitCodes: readonly (keyof typeof EXIT)[];
  readonly run: (args: string[]) => void | Promise<void>;
}

type Commands = ReadonlyMap<string, Command>;

/** Of all commands. */
export function overview(commands: Commands): string {
  const list = [...commands.values()].map(({ usage, purpose }) => `  lstm-wasm ${usage}\n      ${purpose}`);
  return `lstm-wasm: PyTorch's LSTM, GRU and RNN from weight files

${list.join("\n")}

  lstm-wasm help COMMAND, or lstm-wasm COMMAND --help
      its options, with an example
  lstm-wasm --version

Files: PyTorch (.pt, .pth), safetensors, ONNX, Keras (.h5, .keras, .weights.h5), TensorFlow.js (model.json), NumPy
(.npz, .npy, .pkl), TensorFlow's and ml5's manifests (.json), amp models in JSON (NAM, GuitarML, RTNeural).
${exitCodes(Object.keys(EXIT) as (keyof typeof EXIT)[])}
`;
}

/** Of one command. */
export function helpOf({ usage, purpose, options, examples, exitCodes: codes }: Command): string {
  const width = Math.max(...options.map(([option]) => option.length));
  const rows = options.map(([option, meaning]) => `  ${option.padEnd(width)}  ${meaning}`);
  return `lstm-wasm ${usage}
    ${purpose}

${rows.join("\n")}

${examples.length > 1 ? "examples" : "example"}
${examples.map((line) => `  ${line}`).join("\n")}

${exitCodes(codes)}
`;
}

function exitCodes(reasons: readonly (keyof typeof EXIT)[]): string {
  const known = reasons.map((reason) => `${EXIT[reason]} ${reason}`);
  return `Exit codes: ${["0 done", "1 an error that nobody foresaw", ...known].join(", ")}.`;
}

/** The word that someone who wrote another one most likely meant. Undefined if none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  // Up to a third of the letters may differ.
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const distance = candidate.startsWith(word) && word.length > 1 ? 0 : editDistance(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Letters to insert, leave out or replace; two neighbours that changed places count as two. */
function editDistance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 3) return 4;
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
