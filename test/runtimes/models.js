/** The whole models of the suite, which npm's package of vad-web brings; its own dependencies are not installed. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE = "@ricky0123/vad-web@0.0.31";

/** sha256 by file. */
export const MODELS = {
  "silero_vad_legacy.onnx": "a35ebf52fd3ce5f1469b2a36158dba761bc47b973ea3382b3186ca15b1f5af28",
  "silero_vad_v5.onnx": "2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f",
  "silero_vad_v6.onnx": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
};

/** Puts the files into `work`; returns their paths by name. */
export function fetchModels(work) {
  const folder = join(work, "models");
  mkdirSync(folder);
  const run = (file, args) => execFileSync(file, args, { cwd: folder, encoding: "utf8" });
  const packed = run("npm", ["pack", PACKAGE, "--silent"]).trim();
  run("tar", ["-xzf", packed]);
  return Object.fromEntries(
    Object.entries(MODELS).map(([name, expected]) => {
      const path = join(folder, "package/dist", name);
      const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
      if (sum !== expected) throw new Error(`${name} of ${PACKAGE}: expected sha256 ${expected}, got ${sum}`);
      return [name, path];
    }),
  );
}
