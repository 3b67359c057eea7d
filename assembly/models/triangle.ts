/** One triangle of matrices, and zeros in the place of the other one. */

import { copyRun } from "./copy";
import { Triangle } from "./records";

/** The source may be the target. */
export function triangle(record: usize): void {
  const fields = changetype<Triangle>(record);
  const width = fields.width;
  let source = fields.source;
  let target = fields.target;
  for (let matrices = fields.matrices; matrices > 0; matrices--) {
    let boundary = fields.first;
    for (let rows = fields.rows; rows > 0; rows--) {
      const before = min(max(boundary, 0), width);
      const kept = fields.upper ? before : 0;
      const cleared = fields.upper ? 0 : before;
      const some = fields.upper ? width - before : before;
      if (source !== target) copyRun(target + <usize>kept, source + <usize>kept, some);
      memory.fill(target + <usize>cleared, 0, width - some);
      boundary += fields.step;
      source += <usize>width;
      target += <usize>width;
    }
  }
}
