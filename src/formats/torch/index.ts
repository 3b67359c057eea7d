/**
 * `.pt` and `.pth` files of torch.save to a state dict. The archive is opened first. Then the state dict is
 * found in what was saved (find-state-dict.ts): bare, in a checkpoint, or as a whole module. Only its tensors are turned into
 * numbers.
 */

import { checkedList } from "../../tensor/checked-list.js";
import { checkOptions, show, wrongType } from "../../tensor/checks.js";
import { withMetadata } from "../../tensor/metadata.js";
import { type SkippedTensor, withSkipped } from "../../tensor/skipped.js";
import type { StateDict } from "../../tensor/tensor.js";
import { allowedBytes } from "../allowance.js";
import { type Bytes, unsupported } from "../bytes.js";
import type { FileDict } from "../file-dict.js";
import { readAs } from "../recognise/index.js";
import { foldParts } from "../reparametrised.js";
import { filesOf, readShards, type Shards } from "../shards.js";
import { openArchive } from "./archive.js";
import { bad } from "./error.js";
import { findStateDict, followPath } from "./find-state-dict.js";
import { layersOfModules } from "./module-options.js";
import { costOfQuantised, QuantisedView, readQuantised } from "./quantised.js";
import { costOf, TensorView, toTensor, UnsupportedTensor } from "./rebuild-tensor.js";

/** Options of {@link readTorch}. */
export interface ReadTorchOptions {
  /**
   * The keys that lead to the state dict or module: `"generator"` or `["nets", "generator"]`. `"0"` also
   * finds the number 0, as a key of a dict or an index of a list. Without a path, the usual keys are tried:
   * `state_dict`, `model_state_dict`, `model_state` and `model`, the same keys in what they lead to, and last the saved
   * object itself.
   */
  readonly path?: string | readonly string[];
}

/**
 * The state dict in a file of torch.save, zip or legacy. It may be bare, in a checkpoint, or a whole module
 * (also TorchScript), whose parameters and buffers are read as data. Nothing in the file is run. Float
 * tensors of any width become float32. Integers keep their type. Each tensor is a row-major copy. Entries of
 * the state dict that are not tensors, such as an epoch number, are left out. The parts that weight_norm, spectral_norm,
 * pruning and weight dropping make of a weight are folded into the weight that evaluation uses, under its plain name.
 * A tensor of a kind that has no equal here (complex, sparse, of 8-bit floats...) is left out and listed in `skipped`. A
 * whole module, one of TorchScript and a program of torch.export tell in `metadata` whether their layers take the batch
 * first, and an RNN's nonlinearity. A
 * model that is cut into shards is given as an object of files by name: its index and each file that this names.
 *
 * @throws TypeError for arguments of the wrong type; FormatError that says what is broken, refused or not
 *   supported, also where no tensor is of a kind that is read. If there is no state dict, the error lists the keys that there are.
 */
export function readTorch(bytes: Bytes | Shards, options?: ReadTorchOptions): FileDict {
  const { path } = checkOptions("options", options, ["path"]);
  const keys = path === undefined ? undefined : checkPath(path);
  const readOne = (file: unknown) => readAs("readTorch", file, (checked) => readDict(checked, keys));
  const files = filesOf(bytes);
  return foldParts(files === undefined ? readOne(bytes) : readShards(files, readOne));
}

function readDict(file: Uint8Array, keys: readonly string[] | undefined): FileDict {
  // For all tensors together, and for all entries of the zip.
  const mostBytes = allowedBytes(file.length);
  const { root, read, layers, code = () => undefined } = openArchive(file, mostBytes);
  const { views, modules } = keys === undefined ? findStateDict(root) : followPath(root, keys);
  const dict: StateDict = new Map();
  const skipped: SkippedTensor[] = [];
  let total = 0;
  for (const [name, view] of views) {
    const label = `tensor ${show(name)}`;
    if (view instanceof UnsupportedTensor) {
      skipped.push({ name, reason: view.reason });
      continue;
    }
    total += view instanceof QuantisedView ? costOfQuantised(view) : costOf(view);
    if (total > mostBytes) throw bad(`${label}: tensors take more than ${mostBytes} bytes`);
    if (view instanceof TensorView) dict.set(name, toTensor(view, label, read));
    else for (const [part, tensor] of readQuantised(name, view, label, read)) dict.set(part, tensor);
  }
  if (dict.size === 0) {
    const [{ name, reason }] = skipped as [SkippedTensor];
    throw unsupported(`torch: tensor ${show(name)}: ${reason}`);
  }
  const told = [...(layers?.(keys ?? []) ?? layersOfModules(modules, code))];
  return withMetadata(withSkipped(dict, skipped), told.length === 0 ? undefined : Object.fromEntries(told));
}

function checkPath(path: unknown): readonly string[] {
  const expected = "a key or an array of keys";
  if (typeof path === "string") return [path];
  return checkedList(path, "options.path", expected, (key) => {
    if (typeof key !== "string") throw wrongType("options.path", expected, path);
    return key;
  });
}
