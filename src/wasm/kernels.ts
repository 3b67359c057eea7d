/**
 * The wasm surface as TypeScript sees it. Pointers and strides are byte counts; what each kernel does with them is
 * written at its definition in assembly/.
 */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  free(block: number): void;
  clearFloats(target: number, count: number): void;
  copyRows(
    target: number,
    targetRow: number,
    source: number,
    sourceRow: number,
    rows: number,
    count: number,
  ): void;
  packGate(
    panel: number,
    blockBytes: number,
    lineVectors: number,
    gates: number,
    gate: number,
    source: number,
    units: number,
    columns: number,
  ): void;
  unpackGate(
    panel: number,
    blockBytes: number,
    lineVectors: number,
    gates: number,
    gate: number,
    target: number,
    units: number,
    columns: number,
  ): void;
  project(
    matrix: number,
    rows: number,
    input: number,
    inputRow: number,
    start: number,
    output: number,
    outputRow: number,
    backwards: number,
  ): void;
  lstmForward(
    steps: number,
    hiddenSize: number,
    matrix: number,
    hiddenBias: number,
    gates: number,
    gatesTime: number,
    gatesRow: number,
    state: number,
    stateRow: number,
    cells: number,
    hidden: number,
    sums: number,
    quantized: number,
    quantizedRow: number,
    output: number,
    outputTime: number,
    outputRow: number,
    outputSize: number,
    order: number,
    active: number,
    rows: number,
    backwards: number,
    reduction: number,
    reductionStart: number,
    inputMatrix: number,
    input: number,
    inputBias: number,
    trace: number,
  ): void;
  recurrentForward(
    kind: number,
    steps: number,
    hiddenSize: number,
    matrix: number,
    hiddenBias: number,
    gates: number,
    gatesTime: number,
    gatesRow: number,
    state: number,
    stateRow: number,
    sums: number,
    quantized: number,
    quantizedRow: number,
    output: number,
    outputTime: number,
    outputRow: number,
    order: number,
    active: number,
    rows: number,
    backwards: number,
    inputMatrix: number,
    input: number,
    inputBias: number,
  ): void;
  conv1dForward(
    groups: number,
    channels: number,
    units: number,
    kernelSize: number,
    stride: number,
    dilation: number,
    positions: number,
    source: number,
    length: number,
    first: number,
    span: number,
    reflect: number,
    frames: number,
    patches: number,
    matrix: number,
    bias: number,
    sums: number,
    sumsRow: number,
    output: number,
  ): void;
  softmax(data: number, row: number, vectors: number, count: number, logarithm: number): void;
  quantizeRows(
    rows: number,
    count: number,
    source: number,
    sourceRow: number,
    target: number,
    targetRow: number,
  ): void;
  groupVectors(): number;
  arrangeLines(panel: number, bytes: number): void;
  restoreLines(panel: number, bytes: number): void;
  selectGroups(form: number): number;
  sigmoid(data: number, count: number): void;
  tanh(data: number, count: number): void;
  relu(data: number, count: number): void;
}
