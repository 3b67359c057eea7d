/** Stands in for node:fs and URL in golden.ts, so that the suite's one file carries the golden data into every engine. */
// @ts-expect-error esbuild's text loader
import cases from "../../golden/cases.json";
// @ts-expect-error esbuild's binary loader
import truth from "../../golden/truth.bin";

class FileUrl {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

export { FileUrl as URL };

export const readFileSync = ({ path }: FileUrl) => (path.endsWith(".json") ? cases : truth);
