/**
 * What other programs call of the core: its exports, by their names and signatures in index.ts. The host hands the core's
 * instance over as the module `core` of imports, the name of this file. What nobody calls is not imported.
 */

export declare function runLayer(layer: usize, run: usize, steps: i32, zigzag: i32): void;

export declare function matmul(
  matrix: usize,
  walk: usize,
  rows: i32,
  input: usize,
  output: usize,
  zigzag: i32,
): void;

export declare function roundedRow(columns: i32): usize;
