/** The activations that recurrent nodes name. */

import type { Call } from "../operator.js";
import { sigmoid } from "./elementwise.js";

export type Activation = (x: number) => number;
type Make = (alpha: number, beta: number) => Activation;

/** By lower-case name: how each is made, and the alpha and beta that it has where none are given. */
const ACTIVATIONS: ReadonlyMap<string, readonly [make: Make, alpha: number, beta: number]> = new Map<
  string,
  readonly [Make, number, number]
>([
  ["sigmoid", [() => sigmoid, 0, 0]],
  ["tanh", [() => Math.tanh, 0, 0]],
  ["relu", [() => (x) => Math.max(0, x), 0, 0]],
  ["affine", [(alpha, beta) => (x) => alpha * x + beta, 1, 0]],
  ["leakyrelu", [(alpha) => (x) => (x < 0 ? alpha * x : x), 0.01, 0]],
  ["thresholdedrelu", [(alpha) => (x) => (x > alpha ? x : 0), 1, 0]],
  ["scaledtanh", [(alpha, beta) => (x) => alpha * Math.tanh(beta * x), 1, 1]],
  ["hardsigmoid", [(alpha, beta) => (x) => Math.min(1, Math.max(0, alpha * x + beta)), 0.2, 0.5]],
  ["elu", [(alpha) => (x) => (x < 0 ? alpha * Math.expm1(x) : x), 1, 0]],
  ["softsign", [() => (x) => x / (1 + Math.abs(x)), 0, 0]],
  ["softplus", [() => (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0), 0, 0]],
]);

/** Which of them take an alpha, and a beta, from the lists of the node. */
const WITH_ALPHA = ["affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"];
const WITH_BETA = ["affine", "scaledtanh", "hardsigmoid"];

/** The activations of each direction. */
export function activationsOf(call: Call, missing: readonly string[], directions: number): Activation[][] {
  const each = missing.length;
  const names = call.texts("activations") ?? Array.from({ length: directions }, () => missing).flat();
  if (names.length !== each * directions) {
    throw call.broken(`${names.length} activations; expected ${each * directions}`);
  }
  const alphas = (call.floats("activation_alpha") ?? []).slice();
  const betas = (call.floats("activation_beta") ?? []).slice();
  const all = names.map((stated) => {
    const name = stated.toLowerCase();
    const known = ACTIVATIONS.get(name);
    if (known === undefined) throw call.refused(`attribute activations: ${stated} is not supported`);
    const [make, alpha, beta] = known;
    return make(
      WITH_ALPHA.includes(name) ? (alphas.shift() ?? alpha) : alpha,
      WITH_BETA.includes(name) ? (betas.shift() ?? beta) : beta,
    );
  });
  return Array.from({ length: directions }, (_, at) => all.slice(at * each, (at + 1) * each));
}
