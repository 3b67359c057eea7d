/**
 * Layers models of TensorFlow.js, made here: sizes of models that people serve to browsers, weights of a fixed seed. Each
 * is what `model.json` and its shard hold, and loads in both libraries.
 */

/** Keys to `{ modelJson, weights }`. */
export const LAYERS_MODELS = {
  /** Signs by the points of a body: 30 frames of 1,662 numbers. */
  signs: () =>
    sequential(
      [null, 30, 1662],
      [
        both(1662, recurrent("LSTM", { units: 64, return_sequences: true })),
        both(128, recurrent("LSTM", { units: 64 })),
        dense(128, 64, "relu"),
        dense(64, 32, "relu"),
        dense(32, 26, "softmax"),
      ],
    ),
  /** The character after 40, one-hot. */
  characters: () =>
    sequential(
      [null, 40, 57],
      [single(57, recurrent("LSTM", { units: 128, ...OLD })), dense(128, 57, "softmax")],
    ),
  /** One character at a time, with states that stay. */
  molecules: () =>
    sequential(
      [1, 1, 40],
      [
        single(40, recurrent("GRU", { units: 128, return_sequences: true, stateful: true })),
        single(128, recurrent("GRU", { units: 128, return_sequences: true, stateful: true })),
        timeDistributed(dense(128, 40, "softmax")),
      ],
    ),
  /** Letters in an image, by columns. */
  captcha: () =>
    sequential(
      [null, 300, 80, 1],
      [
        conv(1, 32),
        pool(),
        conv(32, 64),
        pool(),
        conv(64, 128),
        pool(),
        layer("Reshape", { target_shape: [37, 1280] }),
        dense(1280, 128, "relu"),
        both(128, recurrent("LSTM", { units: 128, return_sequences: true })),
        both(256, recurrent("LSTM", { units: 64, return_sequences: true })),
        dense(128, 20, "softmax"),
      ],
    ),
  /** Marks for each of 100 letters, by three heads. */
  diacritics: () => {
    const directions = () => both(400, recurrent("LSTM", { units: 400, return_sequences: true }), "sum");
    return functional([null, 100], (input) => {
      const ids = input.to(
        layer("Embedding", { input_dim: 50, output_dim: 400, mask_zero: true }, [50, 400]),
      );
      const body = ids
        .to(directions())
        .to(directions())
        .to(dense(400, 400, "linear"));
      return [16, 3, 4].map((units) => body.to(dense(400, units, "softmax")));
    });
  },
  /** What 100 words say. */
  sentiment: () =>
    functional([null, 100], (input) => {
      const ids = input.to(layer("Embedding", { input_dim: 20000, output_dim: 50 }, [20000, 50]));
      const states = ids.to(both(50, recurrent("GRU", { units: 20, return_sequences: true, ...OLD })));
      const pooled = ["GlobalAveragePooling1D", "GlobalMaxPooling1D"].map((name) =>
        states.to(layer(name, {})),
      );
      return [join(layer("Concatenate", { axis: -1 }), pooled).to(dense(80, 6, "sigmoid"))];
    }),
};

/** Of Keras 2.1 and of layers that TF.js makes. */
const OLD = { recurrent_activation: "hard_sigmoid" };
const GATES = { LSTM: 4, GRU: 3 };

/** A layer's class, config, and the shapes of its weights by the end of their names. */
function layer(className, config, ...shapes) {
  return { className, config, weights: shapes.map((shape) => ["embeddings", shape]) };
}

function dense(inputs, units, activation) {
  const weights = [
    ["kernel", [inputs, units]],
    ["bias", [units]],
  ];
  return { className: "Dense", config: { units, activation, use_bias: true }, weights };
}

function conv(inputs, filters) {
  const config = {
    ...{ filters, kernel_size: [3, 3], strides: [1, 1], padding: "same", data_format: "channels_last" },
    ...{ dilation_rate: [1, 1], activation: "relu", use_bias: true },
  };
  const weights = [
    ["kernel", [3, 3, inputs, filters]],
    ["bias", [filters]],
  ];
  return { className: "Conv2D", config, weights };
}

function pool() {
  const sizes = { pool_size: [2, 2], strides: [2, 2] };
  return layer("MaxPooling2D", { ...sizes, padding: "valid", data_format: "channels_last" });
}

function recurrent(className, config) {
  const own = { LSTM: { unit_forget_bias: true }, GRU: { reset_after: false } }[className];
  return {
    className,
    config: {
      ...{ activation: "tanh", recurrent_activation: "sigmoid", use_bias: true },
      ...{
        return_sequences: false,
        return_state: false,
        go_backwards: false,
        stateful: false,
        unroll: false,
      },
      ...own,
      ...config,
    },
  };
}

function recurrentWeights(inputs, { className, config: { units } }) {
  const rows = GATES[className] * units;
  return [
    ["kernel", [inputs, rows]],
    ["recurrent_kernel", [units, rows]],
    ["bias", [rows]],
  ];
}

const single = (inputs, inner) => ({ ...inner, weights: recurrentWeights(inputs, inner) });

function wrapped({ className, config }, name) {
  return { class_name: className, config: { name, ...config } };
}

function both(inputs, inner, merge = "concat") {
  const directions = ["forward_inner", "backward_inner"];
  return {
    className: "Bidirectional",
    config: { merge_mode: merge, layer: wrapped(inner, "inner") },
    weights: directions.flatMap((direction) =>
      recurrentWeights(inputs, inner).map(([name, shape]) => [`${direction}/${name}`, shape]),
    ),
  };
}

function timeDistributed(inner) {
  return { className: "TimeDistributed", config: { layer: wrapped(inner, "inner") }, weights: inner.weights };
}

function sequential(batchInputShape, layers) {
  const named = layers.map((one, at) => ({ ...one, name: `${one.className.toLowerCase()}_${at}` }));
  const list = named.map(({ className, name, config }, at) => ({
    class_name: className,
    config: { name, trainable: true, ...(at === 0 ? { batch_input_shape: batchInputShape } : {}), ...config },
  }));
  return model({ class_name: "Sequential", config: { name: "model", layers: list } }, named);
}

/** @param build from the input, on which `to` applies a layer, to the outputs */
function functional(batchInputShape, build) {
  const named = [];
  const list = [
    {
      ...{ name: "ids", class_name: "InputLayer", inbound_nodes: [] },
      config: { name: "ids", batch_input_shape: batchInputShape, dtype: "float32", sparse: false },
    },
  ];
  const apply = (one, sources) => {
    const name = `${one.className.toLowerCase()}_${named.length}`;
    named.push({ ...one, name });
    list.push({
      ...{ name, class_name: one.className, config: { name, trainable: true, ...one.config } },
      inbound_nodes: [sources.map((source) => [source.name, 0, 0, {}])],
    });
    return port(name);
  };
  const port = (name) => ({ name, apply, to: (one) => apply(one, [{ name }]) });
  const outputs = build(port("ids")).map(({ name }) => [name, 0, 0]);
  const config = { name: "model", layers: list, input_layers: [["ids", 0, 0]], output_layers: outputs };
  return model({ class_name: "Model", config }, named);
}

/** A layer of several inputs. */
const join = (one, sources) => sources[0].apply(one, sources);

function model(topology, layers) {
  const entries = layers.flatMap(({ name, weights }) =>
    weights.map(([end, shape]) => ({ name: `${name}/${end}`, shape, dtype: "float32" })),
  );
  const sizes = entries.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const numbers = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let seed = 1;
  let at = 0;
  for (const [index, { shape }] of entries.entries()) {
    const width = shape.length === 1 ? 100 : shape.slice(0, -1).reduce((product, size) => product * size, 1);
    const scale = 2 / Math.sqrt(Math.min(width, 400));
    for (const end = at + sizes[index]; at < end; at++) {
      seed = (seed * 16807) % 2147483647;
      numbers[at] = scale * (seed / 2147483647 - 0.5);
    }
  }
  return {
    modelJson: {
      format: "layers-model",
      modelTopology: { keras_version: "2.2.4", backend: "tensorflow", model_config: topology },
      weightsManifest: [{ paths: ["group1-shard1of1.bin"], weights: entries }],
    },
    weights: new Uint8Array(numbers.buffer),
  };
}
