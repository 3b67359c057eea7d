/** Options of Conv1d, and what a state dict tells of them. */
import { wrongType, wrongValue } from "../tensor/checks.js";
import type { Reading } from "./from-state-dict.js";
import { boolean, integer, LARGEST_SIZE, named, type Option, type Values } from "./options.js";
import type { Rename } from "./rename.js";
import { shapeOf } from "./state-dict.js";

/** What stands beyond the ends of the input. */
export type PaddingMode = "zeros" | "reflect";

/** Options of `Conv1d`, as PyTorch's. */
export interface Conv1dOptions {
  inChannels: number;
  outChannels: number;
  kernelSize: number;
  stride?: number | undefined;
  /** Elements on each side; `"valid"` is 0, `"same"` as many as keep the length (stride 1 only). */
  padding?: number | "valid" | "same" | undefined;
  dilation?: number | undefined;
  /** Groups of channels that see only each other; divides both channel counts. */
  groups?: number | undefined;
  bias?: boolean | undefined;
  paddingMode?: PaddingMode | undefined;
}

/** What `Conv1d.fromStateDict` takes: weights do not tell these, and a wrong one gives other numbers. */
export type Conv1dFromStateDictOptions = { prefix?: string | undefined; rename?: Rename | undefined } & Pick<
  Conv1dOptions,
  "stride" | "padding" | "dilation" | "groups" | "paddingMode"
>;

/** PyTorch has a size for each dimension, of which there is one here. */
const tuple = (size: number) => `(${size},)`;

const padding: Option<number | "valid" | "same"> = {
  fallback: 0,
  print: (value) => (typeof value === "number" ? tuple(value) : value),
  check(name, value) {
    if (typeof value !== "string") return integer(0).check(name, value);
    if (value === "valid" || value === "same") return value;
    throw wrongValue(name, 'an integer of at least 0, "valid" or "same"', JSON.stringify(value));
  },
};

const paddingMode: Option<PaddingMode> = {
  fallback: "zeros",
  check(name, value) {
    if (typeof value !== "string") throw wrongType(name, '"zeros" or "reflect"', value);
    if (value === "zeros" || value === "reflect") return value;
    throw wrongValue(name, '"zeros" or "reflect"', JSON.stringify(value));
  },
};

export const conv1dOptions = () => ({
  inChannels: integer(1),
  outChannels: integer(1),
  kernelSize: named({ ...integer(1), print: tuple }),
  stride: named({ ...integer(1, 1), print: tuple }),
  padding,
  dilation: { ...integer(1, 1), print: tuple },
  groups: integer(1, 1),
  bias: boolean(true),
  paddingMode,
});

export const CONV1D_READING: Reading = {
  options: conv1dOptions,
  untold: ["stride", "padding", "dilation", "groups", "paddingMode"],
  told: ({ entries, prefix }, { groups = 1 }) => {
    const [outChannels, channels, kernelSize] = shapeOf(entries, "weight", 3, prefix);
    const inChannels = channels! * (groups as number);
    return { inChannels, outChannels, kernelSize, bias: entries.has("bias") };
  },
};

/** @throws RangeError naming the option that does not fit the others. */
export function checkTogether({
  inChannels,
  outChannels,
  kernelSize,
  groups,
  padding,
  stride,
}: Values<ReturnType<typeof conv1dOptions>>): void {
  for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
    if (channels % groups !== 0) throw wrongValue(name, `a multiple of groups ${groups}`, channels);
  }
  const columns = (inChannels / groups) * kernelSize;
  if (columns > LARGEST_SIZE) {
    throw wrongValue("inChannels / groups * kernelSize", `at most ${LARGEST_SIZE}`, columns);
  }
  if (padding === "same" && stride !== 1) throw wrongValue("stride", '1 for padding "same"', stride);
}
