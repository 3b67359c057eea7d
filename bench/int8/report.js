/** results.json as README.md, and as a part of docs/int8.md. */

/** Ours to PyTorch's. */
const HALF = 0.5;

const small = (number) => number.toExponential(1);
const share = (ours, theirs) => {
  const text = (ours / theirs).toFixed(2);
  return ours / theirs > HALF ? `**${text}**` : text;
};

function table(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map((_, at) => (at === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** "onednn, per tensor" as a title. */
function titleOf(configuration) {
  const [engine, scheme] = configuration.split(", ");
  return `PyTorch (${engine}), ${scheme}`;
}

/** Errors by network; `ratios` adds ours to PyTorch's. */
function errorTable(networks, key, ratios) {
  const configurations = Object.keys(networks[0].pytorch);
  return table(
    [
      "Network",
      "lstm-wasm",
      "with a sample",
      ...configurations.flatMap((name) => [
        titleOf(name),
        ...(ratios ? ["ours to it", "with a sample"] : []),
      ]),
    ],
    networks.map(({ title, int8, int8Sample, pytorch }) => [
      title,
      small(int8[key]),
      small(int8Sample[key]),
      ...configurations.flatMap((name) => {
        const theirs = pytorch[name][key];
        if (!ratios) return [small(theirs)];
        return [small(theirs), share(int8[key], theirs), share(int8Sample[key], theirs)];
      }),
    ]),
  );
}

const BEGIN = "<!-- bench/int8/run.js writes this part. -->\n";
const END = "<!-- The end of it. -->";

/** docs/int8.md with its part anew. */
export function withSummary(page, results) {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`docs/int8.md: expected ${BEGIN}and ${END}`);
  return `${before}${BEGIN}\n${summary(results)}\n\n${END}${after}`;
}

/** What the numbers are worth, of the weights alone and with a sample. */
function summary({ networks }) {
  const both = (describe) => ["int8", "int8Sample"].map(describe).join(" and ");
  const having = (key) => networks.filter(({ int8 }) => key in int8);
  const points = (kind) => {
    const changes = having("accuracy").flatMap((network) =>
      Object.entries(network.float32.accuracy).map(([words, right]) =>
        Math.abs(network[kind].accuracy[words] - right),
      ),
    );
    return Math.max(...changes).toFixed(1);
  };
  const [characters] = having("bitsPerCharacter");
  const bits = (kind) => (characters[kind].bitsPerCharacter - characters.float32.bitsPerCharacter).toFixed(4);
  const probabilities = (kind) => having("probability").map((network) => network[kind].probability);
  const frames = sum(probabilities("int8").map((one) => one.frames));
  const mean = (kind) => sum(probabilities(kind).map((one) => one.frames * one.mean)) / frames;
  const largest = (kind) => Math.max(...probabilities(kind).map((one) => one.max));
  const flipped = (kind) => sum(probabilities(kind).map((one) => one.flipped));
  const text = [
    "What that means for the trained networks, without and with a sample:",
    "",
    `- The recall example's right answers change by ${both(points)} percentage points at most.`,
    `- The character model needs ${both(bits)} bits per character more.`,
    `- Silero VAD's probability moves by ${both((kind) => small(largest(kind)))} at most, and by ${both((kind) => small(mean(kind)))} in the mean.`,
    `- Of ${frames} decisions of Silero VAD, ${both(flipped)} change.`,
  ].join("\n");
  return `${errorTable(networks, "mean", false)}\n\n${text}`;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

export function report({ versions, networks }) {
  const with_ = (key) => networks.filter(({ int8 }) => key in int8);
  const variants = ({ int8, int8Sample, pytorch }) => [
    ["lstm-wasm, int8", int8],
    ["lstm-wasm, int8, with a sample", int8Sample],
    ...Object.entries(pytorch).map(([name, result]) => [`${titleOf(name)}`, result]),
  ];
  const sections = [
    "# What eight-bit weights cost",
    "<!-- Written by bench/int8/report.js from bench/int8/results.json. -->",
    [
      `\`node bench/int8/run.js\`: lstm-wasm ${versions["lstm-wasm"]} (Node ${versions.node}), PyTorch ${versions.pytorch}.`,
      "An error is that of the whole network's output against the same library's float32.",
      "",
      "- PyTorch is `quantize_dynamic` with its two schemes: a scale per tensor (the default) or per row.",
      "- It runs on each engine of that build. onednn keeps 7 bits of activations, as fbgemm, the default on x86, does.",
      "  qnnpack, for ARM, keeps 8.",
      "- Rows of a batch run one by one in PyTorch. That is to its advantage, since a batch has one scale for all.",
      "- Recall and characters quantise their Linear too. Silero is its LSTM alone.",
      '- "With a sample" is `quantizeModule` with another input of the network\'s kind: another licence, the other speech,',
      "  other random numbers. For recall it is every other one of the texts measured.",
      '- Without a sample, `precision: "int8"` sees the weights alone.',
      "",
      "No network here is an independent measure of the rounding. One constant (`COMMON` in `src/int8/expected-inputs.ts`) was",
      "chosen on the example's speech, among values about as good elsewhere. All networks were looked at when the rest was",
      "chosen, the number of a sample's rows too.",
    ].join("\n"),
    "## Mean error",
    "Bold where ours is more than half of PyTorch's.",
    errorTable(networks, "mean", true),
    [
      "The last six networks have uniform random weights. For these a scale per row gains little, and 8 bits leave nearly",
      "the same error in every library. What PyTorch loses there it loses in its activations: 8 or 7 bits where ours have 14.",
    ].join("\n"),
    "## Largest error",
    errorTable(networks, "max", true),
    "## What the trained networks are for",
  ];
  for (const network of with_("accuracy")) {
    const distances = Object.keys(network.float32.accuracy);
    const row = (name, { accuracy }) => [name, ...distances.map((words) => accuracy[words].toFixed(1))];
    const rows = [row("float32", network.float32), ...variants(network).map((one) => row(...one))];
    sections.push(
      "Recall: right answers in percent, by the number of words between the first one and the missing last one.",
      table(["words", ...distances], rows),
    );
  }
  for (const network of with_("bitsPerCharacter")) {
    const { characters, bitsPerCharacter } = network.float32;
    sections.push(
      `Characters: bits per character over ${characters} characters of a licence that was not trained on.`,
      table(
        ["", "bits per character", "more than float32"],
        [
          ["float32", bitsPerCharacter.toFixed(4), ""],
          ...variants(network).map(([name, { bitsPerCharacter: bits }]) => [
            name,
            bits.toFixed(4),
            (bits - bitsPerCharacter).toFixed(4),
          ]),
        ],
      ),
    );
  }
  for (const network of with_("probability")) {
    const { frames } = network.int8.probability;
    sections.push(
      `${network.title}: the change of the probability of ${frames} frames. A decision is flipped where it crosses 0.5.`,
      table(
        ["", "largest", "mean", "flipped"],
        variants(network).map(([name, { probability }]) => [
          name,
          small(probability.max),
          small(probability.mean),
          String(probability.flipped),
        ]),
      ),
    );
  }
  return `${sections.join("\n\n")}\n`;
}
