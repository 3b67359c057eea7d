/** Output files: whole or as they were, whatever happens while they are written. */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeSafetensors } from "../../src/formats/index.js";
import { LSTM, Tensor } from "../../src/index.js";
import {
  COMMAND,
  commandAfter,
  commandProcess,
  FILES,
  folder,
  netFile,
  nodeArguments,
  npy,
  readNpy,
  write,
} from "../support/cli.js";
import { reliabilityRow } from "../support/reliability.js";

const room = join(folder, "output");
mkdirSync(room);
const at = (name: string) => join(room, name);
const input = write("input.npy", npy(Tensor.randn([20, 4], 1)));
const run = (output: string, ...more: string[]) =>
  commandProcess("run", netFile, "--prefix", "lstm", "--input", input, "--output", output, ...more);
/** What was left beside a file. */
const unfinished = (path: string) =>
  readdirSync(room).filter((file) => file.startsWith(`.${basename(path)}.`) && file.endsWith(".tmp"));
const OLD = "the old file";
let whole = 0;

/** Counts what it finds whole. */
function expectOld(path: string, content: string | Buffer = OLD): void {
  expect(readFileSync(path).equals(Buffer.from(content))).toBe(true);
  whole++;
}

describe("an output that exists", () => {
  it.each([
    ["run", (path: string, ...more: string[]) => run(path, ...more)],
    ["quantize", (path: string, ...more: string[]) => commandProcess("quantize", netFile, path, ...more)],
  ] as const)("is refused by %s with exit code 3, and replaced with --force", (name, act) => {
    const path = at(`${name}.out`);
    writeFileSync(path, OLD);
    chmodSync(path, 0o640);
    const { code, error } = act(path);
    expect([code, error]).toEqual([3, `lstm-wasm: ${path}: exists; --force replaces it\n`]);
    expectOld(path);
    expect(act(path, "--force").code).toBe(0);
    expect(readFileSync(path, "utf8")).not.toBe(OLD);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(unfinished(path)).toEqual([]);
  });

  it("is refused before the work, where it is a folder or cannot be", () => {
    expect(run(room)).toMatchObject({ code: 3, error: `lstm-wasm: ${room}: is a folder\n` });
    const nowhere = join(room, "no", "where");
    expect(run(nowhere)).toMatchObject({ code: 3, error: `lstm-wasm: ${nowhere}: no such file or folder\n` });
  });
});

describe("an output that is an input", () => {
  it.each([
    ["the model itself", () => netFile],
    ["another spelling", () => join(folder, "output", "..", "net.safetensors")],
    [
      "a hard link",
      () => {
        linkSync(netFile, at("hard"));
        return at("hard");
      },
    ],
    [
      "a symbolic link",
      () => {
        symlinkSync(netFile, at("soft"));
        return at("soft");
      },
    ],
    ["the array", () => input],
  ])("is refused, also with --force: %s", (_, make) => {
    const path = make();
    const before = readFileSync(path);
    const { code, error } = run(path, "--force");
    expect(code).toBe(3);
    expect(error).toMatch(/: is the input .*; write to another file\n$/);
    expectOld(path, before);
  });
});

describe("an output that is a file beside the model", () => {
  const beside = (folderName: string, ...names: string[]) => {
    for (const name of names) copyFileSync(join(FILES, folderName, name), at(name));
    return at(names[0]!);
  };

  it.each([
    [
      "of external data",
      () => beside("onnx-external", "optimum.onnx", "optimum.onnx_data"),
      "optimum.onnx_data",
    ],
    [
      "which is a shard",
      () =>
        beside(
          "torch-2",
          "model.safetensors.index.json",
          "model-00001-of-00002.safetensors",
          "model-00002-of-00002.safetensors",
        ),
      "model-00002-of-00002.safetensors",
    ],
  ])("%s, is refused, also with --force", (_, make, name) => {
    const model = make();
    const [path, before] = [at(name), readFileSync(at(name))];
    const features = name.startsWith("optimum") ? 4 : 3;
    const array = at("beside.npy");
    writeFileSync(array, npy(Tensor.randn([2, 3, features], 1)));
    const commands = [
      ["quantize", model, path, "--force"],
      [
        "run",
        model,
        "--prefix",
        features === 4 ? "/rnn/LSTM" : "lstm.",
        "--input",
        array,
        "--output",
        path,
        "--force",
      ],
      ...(features === 4
        ? [["run", model, "--input", `x=${array}`, "--output", `y=${path}`, "--force"]]
        : []),
    ];
    for (const args of commands) {
      const { code, error } = commandProcess(...args);
      expect([args, code]).toEqual([args, 3]);
      expect(error).toContain(`is the input ${path}; write to another file`);
      expectOld(path, before);
    }
  });
});

describe("links, pipes and devices", () => {
  it("replaces what a symbolic link leads to, and the link stays", () => {
    mkdirSync(at("elsewhere"));
    writeFileSync(at("elsewhere/target.npy"), OLD);
    symlinkSync("elsewhere/target.npy", at("link.npy"));
    expect(run(at("link.npy")).code).toBe(3);
    expect(run(at("link.npy"), "--force").code).toBe(0);
    expect(lstatSync(at("link.npy")).isSymbolicLink()).toBe(true);
    expect(readNpy(at("elsewhere/target.npy")).shape).toEqual([20, 9]);
    symlinkSync("elsewhere/new.npy", at("dangling.npy"));
    expect(run(at("dangling.npy")).code).toBe(0);
    expect(lstatSync(at("dangling.npy")).isSymbolicLink()).toBe(true);
    expect(readNpy(at("elsewhere/new.npy")).shape).toEqual([20, 9]);
  });

  it("follows links to a file that is not there yet, and takes no file below /dev for a device", () => {
    symlinkSync("second.npy", at("first.npy"));
    symlinkSync("elsewhere/third.npy", at("second.npy"));
    expect(run(at("first.npy")).code).toBe(0);
    expect(lstatSync(at("second.npy")).isSymbolicLink()).toBe(true);
    expect(readNpy(at("elsewhere/third.npy")).shape).toEqual([20, 9]);
    expect(run(`/dev/..${at("elsewhere/third.npy")}`).code).toBe(3);
    expect(run(`/dev/..${input}`, "--force").code).toBe(3);
  });

  it("gives an array alone where its output is the standard one", () => {
    const script = '"$1" "$2" run "$3" --prefix lstm --input "$4" --output /dev/stdout > "$5"';
    const args = [process.execPath, COMMAND, netFile, input, at("stdout.npy")];
    const { status, stderr } = spawnSync("bash", ["-c", script, "bash", ...args], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, "LSTM 4 -> 9, 2 layers: [20, 4] -> [20, 9]\n"]);
    expect(readNpy(at("stdout.npy")).shape).toEqual([20, 9]);
  });

  it("writes into a pipe and a device directly", () => {
    spawnSync("mkfifo", [at("pipe")]);
    const script = `cat "$1" > "$2" & "$3" "$4" run "$5" --prefix lstm --input "$6" --output "$1"; code=$?; wait; exit $code`;
    const args = [at("pipe"), at("piped.npy"), process.execPath, COMMAND, netFile, input];
    expect(spawnSync("bash", ["-c", script, "bash", ...args]).status).toBe(0);
    expect(readNpy(at("piped.npy")).shape).toEqual([20, 9]);
    expect(lstatSync(at("pipe")).isFIFO()).toBe(true);
    expect(run("/dev/null").code).toBe(0);
    const { status, stderr } = spawnSync(
      process.execPath,
      [COMMAND, "run", netFile, "--prefix", "lstm", "--input", input, "--output", "/dev/full"],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([3, "lstm-wasm: /dev/full: no space left on the disk\n"]);
  });
});

describe("a write that does not end", () => {
  const wide = new LSTM({ inputSize: 1, hiddenSize: 512 });
  const model = write("wide.safetensors", writeSafetensors(wide.stateDict()));
  wide.dispose();
  /** 40 MB of output. */
  const long = write("long.npy", npy(Tensor.zeros([20_000, 1])));
  const args = (output: string) => ["run", model, "--input", long, "--output", output, "--force"];

  it("leaves the old file where a limit for files is reached", () => {
    const path = at("limited.npy");
    writeFileSync(path, OLD);
    const { status, stderr } = spawnSync(
      "bash",
      ["-c", 'ulimit -f 1000; "$@"', "bash", process.execPath, COMMAND, ...args(path)],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([3, `lstm-wasm: ${path}: larger than the limit for files\n`]);
    expectOld(path);
    expect(unfinished(path)).toEqual([]);
  });

  it("leaves the old file where the process is killed meanwhile", async () => {
    const path = at("killed.npy");
    writeFileSync(path, OLD);
    const begun = () => unfinished(path).length > 0;
    // A process that was done before the signal came is tried again.
    for (let attempt = 0; ; attempt++) {
      const child = spawn(process.execPath, [COMMAND, ...args(path)]);
      const ended = new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
      while (!begun() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
      child.kill("SIGKILL");
      if ((await ended) === "SIGKILL" && begun()) break;
      expect(attempt).toBeLessThan(5);
      writeFileSync(path, OLD);
    }
    expectOld(path);
  });
});

describe("a signal while the output is written", () => {
  const args = (output: string) => ["run", netFile, "--input", input, "--output", output, "--force"];

  it.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const)(
    "%s takes the unfinished file away and ends the process as it does others",
    async (signal) => {
      const path = at(`${signal}.npy`);
      writeFileSync(path, OLD);
      // A disk that takes its time.
      const script = 'fs.fsync = () => { process.stderr.write("writing"); setInterval(() => {}, 1000); };';
      const child = spawn(process.execPath, [...nodeArguments(script), ...args(path)]);
      const ended = new Promise((resolve) => child.on("exit", (code, by) => resolve([code, by])));
      onTestFinished(() => void child.kill("SIGKILL"));
      await new Promise((resolve) => child.stderr.once("data", resolve));
      expect(unfinished(path).length).toBe(1);
      child.kill(signal);
      expect(await ended).toEqual([null, signal]);
      expect(unfinished(path)).toEqual([]);
      expectOld(path);
    },
  );

  it("is not lost where it comes during the last step", () => {
    const path = at("late.npy");
    writeFileSync(path, OLD);
    const script =
      "const { renameSync } = fs; fs.renameSync = (...names) => { renameSync(...names); process.kill(process.pid, 'SIGTERM'); };";
    const { signal } = spawnSync(process.execPath, [...nodeArguments(script), ...args(path)]);
    expect(signal).toBe("SIGTERM");
    expect(readNpy(path).shape).toEqual([20, 9]);
    expect(unfinished(path)).toEqual([]);
  });
});

describe("an output that appears while the command works", () => {
  const appears = (path: string) => `fs.writeFileSync(${JSON.stringify(path)}, ${JSON.stringify(OLD)});`;
  const noLinks = "throw Object.assign(new Error('no links'), { code: 'EPERM' });";
  const write = (path: string, script: string) =>
    commandAfter(script, "run", netFile, "--input", input, "--output", path);

  it.each([
    ["with hard links", (path: string) => `${appears(path)} return linkSync(...names);`],
    ["without hard links", (path: string) => `${appears(path)} ${noLinks}`],
  ])("stays, on a file system %s", (name, body) => {
    const path = at(`${name}.npy`);
    const script = `const { linkSync } = fs; fs.linkSync = (...names) => { ${body(path)} };`;
    const { code, error } = write(path, script);
    expect([code, error]).toEqual([3, `lstm-wasm: ${path}: exists; --force replaces it\n`]);
    expectOld(path);
    expect(unfinished(path)).toEqual([]);
  });

  it("is written where nothing appears and the file system has no hard links", () => {
    const path = at("unlinked.npy");
    expect(write(path, `fs.linkSync = () => { ${noLinks} };`).code).toBe(0);
    expect(readNpy(path).shape).toEqual([20, 9]);
    expect(unfinished(path)).toEqual([]);
  });
});

describe("the disk", () => {
  const log = `
    const { fsync, linkSync, renameSync } = fs;
    const log = (step) => process.stderr.write(step + ";");
    fs.fsync = (file, done) => {
      log(fs.fstatSync(file).isDirectory() ? "sync folder" : "sync file");
      fsync(file, done);
    };
    fs.linkSync = (...names) => { log("name"); linkSync(...names); };
    fs.renameSync = (...names) => { log("name"); renameSync(...names); };`;

  it.each([
    ["new", []],
    ["replaced", ["--force"]],
  ])("has the file before its name, and the name before the command ends: a %s file", (_, more) => {
    const args = ["run", netFile, "--input", input, "--output", at("disk.npy"), ...more];
    expect(commandAfter(log, ...args)).toMatchObject({ code: 0, error: "sync file;name;sync folder;" });
  });

  it("may be one that syncs no folders", () => {
    const script = `
      const { fsync } = fs;
      fs.fsync = (file, done) =>
        fs.fstatSync(file).isDirectory() ? done(Object.assign(new Error(), { code: "EINVAL" })) : fsync(file, done);`;
    const args = ["run", netFile, "--input", input, "--output", at("unsynced.npy")];
    expect(commandAfter(script, ...args)).toMatchObject({ code: 0, error: "" });
    expect(readNpy(at("unsynced.npy")).shape).toEqual([20, 9]);
  });
});

it("states how often the old file was whole", () => {
  reliabilityRow({
    attack:
      "Writes onto a file that must stay: an input, one without --force or that came meanwhile, a limit, a signal",
    tried: whole,
    survived: whole,
    note: "the old file is whole; SIGKILL alone leaves the unfinished one beside it, named .NAME.*.tmp",
  });
});
