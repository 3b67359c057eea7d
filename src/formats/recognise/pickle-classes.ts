/** The classes that a pickle wants, found without running any of it. */
import { latin1 } from "./file-kind.js";

/** Pickles name their classes early: a big array comes after what makes it. */
const MOST_BYTES = 65_536;
const MOST_CLASSES = 8;

/** `module.name` of the first classes and functions, as a message lists them. */
export function pickleClasses(file: Uint8Array): string[] {
  let text = "";
  for (let at = 0; at < Math.min(file.length, MOST_BYTES); at += 4096) {
    text += latin1(file.subarray(at, Math.min(at + 4096, MOST_BYTES)));
  }
  const classes = new Set<string>();
  // GLOBAL: two lines. STACK_GLOBAL: two short strings, each with or without an entry in the memo.
  const line = "([\\w.]{1,80})\n";
  const short = "\x8c.([\\w.]{1,80})\x94?";
  for (const [, module, name, stackModule, stackName] of text.matchAll(
    new RegExp(`c${line}${line}|${short}${short}\x93`, "gs"),
  )) {
    classes.add(`${module ?? stackModule}.${name ?? stackName}`);
    if (classes.size === MOST_CLASSES) break;
  }
  return [...classes];
}
