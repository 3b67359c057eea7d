/**
 * @tensorflow/tfjs-backend-wasm: SIMD, one thread. It has no LSTM kernel, so a cell is composed of its operations, with
 * the inputs of all steps as one product first. States stay tensors from call to call.
 */

import { callArguments, stateDict } from "../cases.js";

/** @type {typeof import("@tensorflow/tfjs-core")} */
let tf;

/** @param {import("../cases.js").Case} spec */
export async function create(spec) {
  tf = await import("@tensorflow/tfjs-core");
  const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
  const { cell, input: width, hidden, steps, batch, layers, directions } = spec;
  const dict = stateDict(spec);
  const { input, h0, c0 } = callArguments(spec);
  const makeLayer = cell === "lstm" ? lstmLayer : gruLayer;
  const nets = [];
  for (let layer = 0; layer < layers; layer++) {
    for (const reverse of ["", "_reverse"].slice(0, directions)) {
      nets.push(makeLayer(dict, `_l${layer}${reverse}`, hidden, steps, batch, reverse !== ""));
    }
  }

  const split = (state) =>
    Array.from(nets, (_, index) =>
      tf.tensor2d(state.data.slice(index * batch * hidden, (index + 1) * batch * hidden), [batch, hidden]),
    );
  let states = [h0, c0].filter((state) => state !== undefined).map(split);
  let result;

  return {
    call() {
      const { output, finals } = tf.tidy(() => {
        let source = tf.tensor2d(input.data, [steps * batch, width]);
        const finals = states.map(() => []);
        for (let layer = 0; layer < layers; layer++) {
          const outputs = [];
          for (let direction = 0; direction < directions; direction++) {
            const index = layer * directions + direction;
            const ran = nets[index](
              source,
              states.map((state) => state[index]),
            );
            outputs.push(ran.output);
            ran.finals.forEach((final, which) => {
              finals[which].push(final);
            });
          }
          source = outputs.length === 1 ? outputs[0] : tf.concat(outputs, 1);
        }
        return { output: source, finals };
      });
      const numbers = finals.map((state) => state.map((tensor) => tensor.dataSync()));
      // The output of a step is its final h, the same tensor.
      result = [output === finals[0][0] ? numbers[0][0] : output.dataSync(), ...numbers];
      const keep = spec.carried ? finals : [];
      tf.dispose([output, ...finals.flat()].filter((tensor) => !keep.flat().includes(tensor)));
      if (!spec.carried) return;
      tf.dispose(states);
      states = finals;
    },
    results() {
      const [output, ...finals] = result;
      return [output, ...finals.map((parts) => Float32Array.from(parts.flatMap((part) => [...part])))];
    },
  };
}

/** A PyTorch matrix (rows, columns), its gates in the order given, transposed to (columns, rows). */
function transposed({ data, shape: [rows, columns] }, hidden, order) {
  const result = new Float32Array(data.length);
  order.forEach((from, to) => {
    for (let unit = 0; unit < hidden; unit++) {
      for (let column = 0; column < columns; column++) {
        result[column * rows + to * hidden + unit] = data[(from * hidden + unit) * columns + column];
      }
    }
  });
  return tf.tensor2d(result, [columns, rows]);
}

function biasOf(dict, names, hidden, order) {
  const rows = order.length * hidden;
  const result = new Float32Array(rows);
  order.forEach((from, to) => {
    for (let unit = 0; unit < hidden; unit++) {
      for (const name of names) result[to * hidden + unit] += dict.get(name).data[from * hidden + unit];
    }
  });
  return tf.tensor1d(result);
}

/**
 * The steps of a layer: `next(gates, states)` gives the new states, the first being h; gates are (N, rows).
 */
function run(gatesOfAll, states, steps, batch, reverse, next) {
  const outputs = new Array(steps);
  const rows = gatesOfAll.shape[1];
  for (let turn = 0; turn < steps; turn++) {
    const step = reverse ? steps - 1 - turn : turn;
    const gates = steps === 1 ? gatesOfAll : tf.slice(gatesOfAll, [step * batch, 0], [batch, rows]);
    states = next(gates, states);
    outputs[step] = states[0];
  }
  return { output: steps === 1 ? outputs[0] : tf.concat(outputs, 0), finals: states };
}

function lstmLayer(dict, suffix, hidden, steps, batch, reverse) {
  // i f o g, so that one sigmoid serves the first three.
  const order = [0, 1, 3, 2];
  const wih = transposed(dict.get(`weight_ih${suffix}`), hidden, order);
  const whh = transposed(dict.get(`weight_hh${suffix}`), hidden, order);
  const bias = biasOf(dict, [`bias_ih${suffix}`, `bias_hh${suffix}`], hidden, order);
  return (source, states) =>
    run(tf.fused.matMul({ a: source, b: wih, bias }), states, steps, batch, reverse, (gates, [h, c]) => {
      const sums = tf.add(tf.matMul(h, whh), gates);
      const [i, f, o] = tf.split(tf.sigmoid(tf.slice(sums, [0, 0], [batch, 3 * hidden])), 3, 1);
      const g = tf.tanh(tf.slice(sums, [0, 3 * hidden], [batch, hidden]));
      const cNext = tf.add(tf.mul(f, c), tf.mul(i, g));
      return [tf.mul(o, tf.tanh(cNext)), cNext];
    });
}

function gruLayer(dict, suffix, hidden, steps, batch, reverse) {
  const order = [0, 1, 2];
  const wih = transposed(dict.get(`weight_ih${suffix}`), hidden, order);
  const whh = transposed(dict.get(`weight_hh${suffix}`), hidden, order);
  const inputBias = biasOf(dict, [`bias_ih${suffix}`], hidden, order);
  const hiddenBias = biasOf(dict, [`bias_hh${suffix}`], hidden, order);
  return (source, states) =>
    run(
      tf.fused.matMul({ a: source, b: wih, bias: inputBias }),
      states,
      steps,
      batch,
      reverse,
      (gates, [h]) => {
        const sums = tf.fused.matMul({ a: h, b: whh, bias: hiddenBias });
        const part = (of, from, count) => tf.slice(of, [0, from * hidden], [batch, count * hidden]);
        const [r, z] = tf.split(tf.sigmoid(tf.add(part(gates, 0, 2), part(sums, 0, 2))), 2, 1);
        const n = tf.tanh(tf.add(part(gates, 2, 1), tf.mul(r, part(sums, 2, 1))));
        return [tf.add(n, tf.mul(z, tf.sub(h, n)))];
      },
    );
}
