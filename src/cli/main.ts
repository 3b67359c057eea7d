#!/usr/bin/env node
/**
 * The command `lstm-wasm`. `inspect` lists what a weight file holds, `run` runs a layer of it over an array,
 * and `quantize` writes it with int8 weights. It imports the package by its name, as users do. It is bundled
 * to dist/cli.js.
 */
import { CliError, EXIT } from "./error.js";
import { inspect } from "./inspect-command.js";
import { quantize } from "./quantize-command.js";
import { run } from "./run-command.js";
import { printable, printableMessage } from "./terminal.js";

interface Command {
  readonly usage: string;
  readonly purpose: string;
  readonly run: (args: string[]) => void | Promise<void>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["inspect", inspect],
  ["run", run],
  ["quantize", quantize],
]);

const HELP = `lstm-wasm: PyTorch's LSTM, GRU and RNN from weight files

${[...COMMANDS.values()].map(({ usage, purpose }) => `  lstm-wasm ${usage}\n      ${purpose}`).join("\n")}

Files: PyTorch (.pt, .pth), safetensors, ONNX, amp models in JSON (NAM, GuitarML, RTNeural).
--force: replace an output file that exists.
--path: the key of a PyTorch checkpoint that leads to its state dict, given once per level.
Exit codes: ${Object.entries(EXIT)
  .map(([name, code]) => `${code} ${name}`)
  .join(", ")}.
`;

async function main([name, ...args]: string[]): Promise<void> {
  if ([name, ...args].some((argument) => argument === "--help" || argument === "-h")) {
    process.stdout.write(HELP);
    return;
  }
  const command = COMMANDS.get(name ?? "");
  if (command === undefined) {
    const problem = name === undefined ? "no command given" : `unknown command ${JSON.stringify(name)}`;
    throw new CliError("usage", `${problem}; known are ${[...COMMANDS.keys()].join(", ")}, see --help`);
  }
  try {
    await command.run(args);
  } catch (error) {
    if (isParseError(error))
      throw new CliError(
        "usage",
        `${printableMessage(error.message.split(". ")[0]!)}\nusage: lstm-wasm ${command.usage}`,
      );
    throw error;
  }
}

/** Whether parseArgs refused the arguments. */
function isParseError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

// A reader that has seen enough, such as `head`, closes the pipe. That is not an error; a full disk is.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return;
  process.stderr.write(`lstm-wasm: standard output: ${printable(error.message)}\n`);
  process.exitCode = EXIT["file cannot be read or written"];
});
// Where messages cannot be printed, the exit code tells.
process.stderr.on("error", () => {});

function fail(error: unknown): void {
  const [code, message] =
    error instanceof CliError
      ? [error.exitCode, error.message.split("\n").map(printableMessage).join("\n")]
      : [
          1,
          printableMessage(
            `unforeseen: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`,
          ),
        ];
  process.stderr.write(`lstm-wasm: ${message}\n`);
  process.exitCode = code;
}

// Outside of the try below: in a callback. Node would print a stack with names of the file as they are.
process.on("uncaughtException", fail);

try {
  await main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
