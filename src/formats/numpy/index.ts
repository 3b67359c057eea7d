/** NumPy's files to a state dict: .npz archives, .npy arrays, and pickled dicts of arrays. */

import { show } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import { type SkippedTensor, withSkipped } from "../../tensor/skipped.js";
import type { StateDict, Tensor } from "../../tensor/tensor.js";
import { allowedBytes } from "../allowance.js";
import { type Bytes, FormatError, unsupported } from "../bytes.js";
import type { FileDict } from "../file-dict.js";
import { readAs } from "../recognise/index.js";
import { isZip, Zip } from "../zip.js";
import { arrayTensor, checkArray, type NumpyArray } from "./array.js";
import { isNpy, readNpyArray } from "./npy.js";
import { readPickled } from "./pickled.js";

/** The name of a file's only array. */
const ONLY = "array";

/**
 * The arrays of a NumPy file by their names: an .npz of `np.savez` or `np.savez_compressed`, a dict of arrays that was
 * pickled by protocol 2 to 5, or an .npy, whose array is named `array`. Floats of any width become float32; integers
 * and booleans keep their type. Arrays of either byte order are read, and those in Fortran order turned. In a pickle,
 * NumPy's own functions are understood, as data, and nothing is run; numbers and texts beside the arrays are left out.
 * Arrays of other things (objects, text, dates, structures) are left out and listed in `skipped`.
 *
 * @throws TypeError for arguments of the wrong type; FormatError that names the array that is broken, refused or not
 *   supported, also where no array is of a kind that is read
 */
export function readNumpy(bytes: Bytes): FileDict {
  return readAs("readNumpy", bytes, (file) => {
    const mostBytes = allowedBytes(file.length);
    if (isZip(file)) return readAll(archived(file, mostBytes), mostBytes);
    if (isNpy(file))
      return readAll(
        [{ name: ONLY, label: "numpy", cost: 0, make: () => readNpyArray(file, "numpy") }],
        mostBytes,
      );
    if (file[0] === 0x80) return readAll(readPickled(file), mostBytes);
    throw new FormatError("numpy: expected an .npz archive, an .npy array or a pickle of protocol 2 to 5");
  });
}

/** An array that is made when it is its turn. */
interface Source {
  readonly name: string;
  /** Begins its messages. */
  readonly label: string;
  readonly cost: number;
  make(): NumpyArray;
}

function archived(file: Uint8Array, mostBytes: number): Source[] {
  const zip = new Zip(file, mostBytes, "numpy");
  return [...zip.names()].map((entry) => {
    const name = entry.replace(/\.npy$/, "");
    const label = `numpy: array ${show(name)}`;
    const make = () => {
      if (name === entry) throw unsupported(`${label}: it is no .npy file`);
      return readNpyArray(zip.read(entry), label);
    };
    // The zip has counted what it inflates.
    return { name, label, cost: 0, make };
  });
}

function readAll(sources: readonly Source[], mostBytes: number): FileDict {
  const dict: StateDict = new Map();
  const skipped: SkippedTensor[] = [];
  let barred: FormatError | undefined;
  let total = 0;
  const spend = (bytes: number) => {
    total += bytes;
    if (total > mostBytes) throw new FormatError(`numpy: its arrays take more than ${mostBytes} bytes`);
  };
  for (const source of sources) {
    try {
      dict.set(source.name, tensorOf(source, spend));
    } catch (cause) {
      // What this reader has no equal of bars itself alone, and what is broken the whole file.
      if (!(cause instanceof FormatError) || cause.code !== "LSTM_WASM_UNSUPPORTED") throw cause;
      barred ??= cause;
      skipped.push({ name: source.name, reason: cause.message.replace(`${source.label}: `, "") });
    }
  }
  if (dict.size === 0) throw barred ?? new FormatError("numpy: the file holds no arrays");
  return withSkipped(dict, skipped);
}

function tensorOf(source: Source, spend: (bytes: number) => void): Tensor<TensorData> {
  spend(source.cost);
  const array = source.make();
  spend(checkArray(array, source.label));
  return arrayTensor(array, source.label);
}
