/** Keras' files of any config and arrays: `.h5` and `.keras`. */
import { strToU8, zipSync } from "fflate";
import { type Hdf5Data, type Hdf5Tree, hdf5 } from "./hdf5-tree.js";

/** Arrays of a layer, by their paths below its group, `lstm_cell/kernel:0`, with their shapes. */
export type Arrays = Readonly<Record<string, Hdf5Data>>;

function folders(arrays: Arrays): Map<string, Hdf5Tree | Hdf5Data> {
  const root = new Map<string, Hdf5Tree | Hdf5Data>();
  for (const [path, array] of Object.entries(arrays)) {
    const parts = path.split("/");
    let at = root;
    for (const part of parts.slice(0, -1)) {
      const next = (at.get(part) as Hdf5Tree | undefined)?.members ?? new Map();
      at.set(part, { members: next });
      at = next as typeof root;
    }
    at.set(parts.at(-1)!, array);
  }
  return root;
}

export interface H5Model {
  /** JSON, or its text. */
  readonly config?: unknown;
  readonly version?: string;
  readonly layers: Readonly<Record<string, Arrays>> | ReadonlyMap<string, Arrays>;
  /** In place of those that the layers have. */
  readonly names?: readonly string[];
}

/** A model as `model.save("x.h5")` writes it. */
export function kerasH5({ config, version = "2.15.0", layers, names }: H5Model): Uint8Array {
  const entries = layers instanceof Map ? [...layers] : Object.entries(layers);
  const groups = entries.map(
    ([name, arrays]) =>
      [name, { attributes: { weight_names: Object.keys(arrays) }, members: folders(arrays) }] as const,
  );
  const weights: Hdf5Tree = {
    attributes: { layer_names: names ?? entries.map(([name]) => name) },
    members: new Map(groups),
  };
  const text = typeof config === "string" ? config : JSON.stringify(config);
  return hdf5({
    attributes: {
      keras_version: version,
      backend: "tensorflow",
      ...(config === undefined ? {} : { model_config: text }),
    },
    members: new Map([["model_weights", weights]]),
  });
}

/** A `.keras` file: the arrays by their paths, `layers/lstm/cell/vars/0`. */
export function kerasZip(
  config: unknown,
  arrays: Arrays,
  { level = 0 as 0 | 9, more = {}, version = "3.8.0" } = {},
): Uint8Array {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  return zipSync(
    {
      "metadata.json": strToU8(JSON.stringify({ keras_version: version })),
      "config.json": strToU8(text),
      "model.weights.h5": hdf5({ members: folders(arrays) }),
      ...more,
    },
    { level },
  );
}
