#!/usr/bin/env node
/**
 * The command `lstm-wasm`. `inspect` lists what a weight file holds, `run` runs a layer of it over an array,
 * and `quantize` writes it with int8 weights. It imports the package by its name, as users do. It is bundled
 * to dist/cli.js.
 */
import { readFileSync } from "node:fs";
import { CliError, EXIT } from "./error.js";
import { type Command, helpOf, nearest, overview } from "./help.js";
import { inspect } from "./inspect-command.js";
import { quantize } from "./quantize-command.js";
import { run } from "./run-command.js";
import { printable, printableMessage } from "./terminal.js";

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["inspect", inspect],
  ["run", run],
  ["quantize", quantize],
]);

async function main([name, ...args]: string[]): Promise<void> {
  if (name === "--version" || name === "-v") return say(`${version()}\n`);
  if (name === "--help" || name === "-h") return say(overview(COMMANDS));
  if (name === "help") return say(help(args));
  const command = known(name);
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  if (options.includes("--help") || options.includes("-h")) return say(helpOf(command));
  try {
    await command.run(args);
  } catch (error) {
    if (isParseError(error))
      throw new CliError("usage", `${parseProblem(error, command)}\nusage: lstm-wasm ${command.usage}`);
    throw error;
  }
}

function say(text: string): void {
  process.stdout.write(text);
}

function help([name, ...more]: string[]): string {
  if (more.length > 0) throw new CliError("usage", `help: expected one command, got ${more.length + 1}`);
  return name === undefined ? overview(COMMANDS) : helpOf(known(name));
}

function known(name: string | undefined): Command {
  const command = COMMANDS.get(name ?? "");
  if (command !== undefined) return command;
  const near =
    name === undefined ? undefined : nearest(name, [...COMMANDS.keys(), "help", "--help", "--version"]);
  const problem =
    name === undefined
      ? "no command given"
      : `unknown command ${JSON.stringify(name)}${near === undefined ? "" : `, did you mean ${near}?`}`;
  throw new CliError("usage", `${problem}; known are ${[...COMMANDS.keys()].join(", ")}, see --help`);
}

/** Of the package that this file is part of. */
function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

/** Whether parseArgs refused the arguments. */
function isParseError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

/** The first sentence of what parseArgs says, and the option that was meant. */
function parseProblem({ message }: Error, { options }: Command): string {
  const [, unknown] = /^Unknown option '([^']*)'/.exec(message) ?? [];
  const names = options.map(([option]) => option.split(" ")[0]!).filter((option) => option.startsWith("--"));
  const near = unknown === undefined ? undefined : nearest(unknown, names);
  return `${printableMessage(message.split(". ")[0]!)}${near === undefined ? "" : `, did you mean ${near}?`}`;
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
