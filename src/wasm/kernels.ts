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
    rows: number,
    count: number,
    blocks: number,
    input: number,
    inputRow: number,
    panel: number,
    blockBytes: number,
    start: number,
    startRow: number,
    output: number,
    outputRow: number,
  ): void;
  lstmForward(
    steps: number,
    hiddenSize: number,
    panel: number,
    blockBytes: number,
    hiddenBias: number,
    gates: number,
    gatesTime: number,
    gatesRow: number,
    state: number,
    stateRow: number,
    cells: number,
    hidden: number,
    output: number,
    outputTime: number,
    outputRow: number,
    outputSize: number,
    order: number,
    active: number,
    rows: number,
    backwards: number,
    reduction: number,
    reductionBlockBytes: number,
    reductionStart: number,
    inputs: number,
    input: number,
    inputPanel: number,
    inputBias: number,
    trace: number,
  ): void;
  gruForward(
    steps: number,
    hiddenSize: number,
    panel: number,
    hiddenBias: number,
    gates: number,
    gatesTime: number,
    gatesRow: number,
    state: number,
    hidden: number,
    output: number,
    outputTime: number,
    outputRow: number,
    order: number,
    active: number,
    rows: number,
    backwards: number,
  ): void;
  rnnForward(
    steps: number,
    hiddenSize: number,
    panel: number,
    hiddenBias: number,
    gates: number,
    gatesTime: number,
    gatesRow: number,
    state: number,
    hidden: number,
    output: number,
    outputTime: number,
    outputRow: number,
    order: number,
    active: number,
    rows: number,
    useRelu: number,
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
    panel: number,
    blockBytes: number,
    panelBytes: number,
    blocks: number,
    bias: number,
    sums: number,
    output: number,
  ): void;
  softmax(data: number, row: number, vectors: number, count: number): void;
  logSoftmax(data: number, row: number, vectors: number, count: number): void;
  sigmoid(data: number, count: number): void;
  tanh(data: number, count: number): void;
  relu(data: number, count: number): void;
}
