/** dist/cli.js, the command: it imports the package by its name, as users do. */
import { build } from "esbuild";
import { BANNER } from "./licence.js";

await build({
  entryPoints: ["src/cli/main.ts"],
  outfile: "dist/cli.js",
  bundle: true,
  packages: "external",
  tsconfig: "tsconfig.json",
  format: "esm",
  platform: "node",
  target: "node20",
  banner: { js: BANNER },
});
