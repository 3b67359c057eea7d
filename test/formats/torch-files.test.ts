/** What PyTorch 2 writes beside plain state dicts: files and what they hold, both by make_torch_files.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { readWeights } from "../../src/formats/read-weights.js";
import { readTorch } from "../../src/formats/torch/index.js";
import type { StateDict } from "../../src/tensor/tensor.js";

const FOLDER = new URL("files/torch-2/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
const EXPECTED: Record<string, Record<string, { shape: number[]; data: number[] }>> = JSON.parse(
  readFileSync(new URL("expected.json", FOLDER), "utf8"),
);

function expectTensors(dict: StateDict, name: string): void {
  const plain = [...dict].map(([key, { shape, data }]) => [key, { shape, data: Array.from(data, Number) }]);
  const expected = Object.entries(EXPECTED[name]!).map(([key, { shape, data }]) => [key, { shape, data }]);
  expect(Object.fromEntries(plain)).toEqual(Object.fromEntries(expected));
}

describe("readTorch", () => {
  it.each(Object.keys(EXPECTED).filter((name) => /\.pt2?$/.test(name)))(
    "reads %s as PyTorch does",
    (name) => {
      expectTensors(readTorch(file(name)), name);
    },
  );

  it.each([
    [
      "dtensor-sharded.pt",
      'torch: tensor "lstm.weight_ih_l0": it is a DTensor, of which the file has one device\'s part; save tensor.full_tensor()',
    ],
    [
      "frozen.pt",
      "torch: a TorchScript module without parameters: torch.jit.freeze makes constants without names of them; save the state_dict() of the model that was frozen",
    ],
    [
      "package.pt",
      "torch: got an archive of torch.package; load its model with torch.package.PackageImporter, and save model.state_dict()",
    ],
    [
      "dcp.metadata",
      "torch: got the .metadata of a distributed checkpoint of PyTorch; convert its folder with `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER out.pt`",
    ],
    [
      "__0_0.distcp",
      "torch: got a file of a distributed checkpoint of PyTorch (.distcp); convert its folder with `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER out.pt`",
    ],
    [
      "stable-baselines.zip",
      'torch: got a zip of "data", "pytorch_variables.pth", "policy.pth", "policy.optimizer.pth"; unpack it and read "policy.pth"',
    ],
    [
      "two-networks.pt",
      'torch: 2 state dicts below "model": "generator", "discriminator"; name one with { path: ["model", "generator"] }',
    ],
  ])("says what %s is, and what to do", (name, message) => {
    expect(() => readTorch(file(name))).toThrow(new FormatError(message));
    expect(() => readWeights(file(name))).toThrow(message.slice(message.indexOf(" got ")).slice(0, 60));
  });

  it("reads the network that the path names", () => {
    expect(readTorch(file("two-networks.pt"), { path: ["model", "discriminator"] }).size).toBe(4);
  });
});
