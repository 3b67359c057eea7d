/** docs/operators.md, made of a run of ONNX's cases. */

const DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"];
const GROUPS = [
  ["all", DTYPES],
  ["floats, integers", DTYPES.slice(0, 8)],
  ["floats", DTYPES.slice(0, 4)],
];
const NEWEST = 28;
const OLDEST = 6;

/** What shape rules do not tell: they look at other things first. */
const TOLD = new Map([
  ["Constant", "all"],
  ["Einsum", "floats, integers"],
  ["If", "bool"],
  ["Loop", "all"],
  ["com.microsoft.DynamicQuantizeLSTM", "floats"],
]);

/** What an operator takes as its first input: types that its shape rule does not refuse. */
function typesOf(operator, Call) {
  const told = TOLD.get(operator.name);
  if (told !== undefined) return told;
  const taken = DTYPES.filter((dtype) => {
    const node = {
      name: "",
      operator: operator.name,
      opset: NEWEST,
      label: "onnx",
      inputs: [],
      outputs: [{}],
    };
    const input = { dtype, shape: [1, 1, 1] };
    const call = new Call({ ...node, attributes: new Map() }, new Array(8).fill(input));
    try {
      operator.shape(call);
    } catch (error) {
      return !/input 0 of \w+ is not supported/.test(error.message);
    }
    return true;
  });
  const group = GROUPS.find(([, list]) => list.join() === taken.join());
  return group?.[0] ?? taken.join(", ");
}

/** A message without the numbers of its case, as a cell of a table. */
const general = (message) =>
  message
    .replace(/over \d+ axes/, "over three axes or more")
    .replace(/ (is|are) not supported.*/, "")
    .replace(/^attribute equation: .*/, "attribute equation: other than two operands with different letters")
    .replaceAll("|", "\\|");

/** A row of a table, of cells that Markdown shows. */
const row = (cells) => `| ${cells.join(" | ")} |`;

export function operatorsPage({ operators, Call, table, refusals, totals }) {
  const rows = Array.from(operators.values())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((operator) => {
      const { name, oldest = OLDEST } = operator;
      const { cases, passed } = table.get(name) ?? { cases: 0, passed: 0 };
      const refused = Array.from(new Set(Array.from(refusals.get(name) ?? [], general))).sort();
      const isOwn = !name.includes(".");
      return row([
        `\`${name}\``,
        isOwn ? `${Math.max(oldest, OLDEST)} to ${NEWEST}` : "",
        typesOf(operator, Call),
        cases === 0 ? "" : `${passed} of ${cases}`,
        refused.join("; "),
      ]);
    });
  return `# Operators of whole models

What \`loadOnnx\` of \`lstm-wasm/models\` runs. Every operator is judged by ONNX's own cases: \`npm run test:onnx\` runs
them as models and in plain JavaScript, and \`npm run test:onnx -- --write\` makes this page of them.

${totals.passed} of ${totals.cases} cases pass within ONNX's tolerance (rtol 1e-3, atol 1e-7). ${totals.refused} are refused by a
message that names the node. ${totals.wrong} are wrong, and ${totals.crashed} crash. A case counts for each operator in it.

- **Opsets** are those of ONNX's own operators. A newer file is run as opset ${NEWEST}, with a warning. An attribute that an
  operator has in no opset is refused by name.
- **Types** are those of the first input. Floats are float32, float64, float16 and bfloat16, all computed as float32.
  Integers are int64 (exact within 2^53), int32, int8 and uint8.
- **Refused** is what cases ask for that is not there. Refused of all: sequences, optionals, strings, and other types.
- Functions that a file brings run through their bodies, whatever they are called.

| Operator | Opsets | Types | Cases that pass | Refused |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}
