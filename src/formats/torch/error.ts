/** What all parts of the torch reader throw. */

import { FormatError } from "../bytes.js";

export function bad(message: string): FormatError {
  return new FormatError(`torch: ${message}`);
}
