/** What an operator is given and gives. */

import type { TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import type { Attribute } from "./model-proto.js";

export type AnyTensor = Tensor<TensorData>;

/** A node whose value is asked for, with the values of its inputs. */
export interface Call {
  /** In the node's order; undefined for one that is left out. */
  readonly inputs: readonly (AnyTensor | undefined)[];
  readonly attribute: (name: string) => Attribute | undefined;
  /** Index of the output that is asked for, and how many the node has. */
  readonly output: number;
  readonly outputCount: number;
  /** What messages call the node. */
  readonly label: string;
  /**
   * Counts bytes against the file's allowance, before they are made or looked through.
   * @throws FormatError if fewer are left
   */
  readonly spend: (bytes: number) => void;
}

/**
 * The output that the call asks for. A string says why it is not constant: "is computed by Cast to type 10".
 */
export type Operator = (call: Call) => AnyTensor | string;
