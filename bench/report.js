/** The results of a run as text: on the console, and as bench/README.md with bench/chart.svg beside it, and in the README. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { CASES, caseNamed, describeCase } from "./cases.js";
import { chart } from "./chart.js";
import { writeFigures } from "./figures.js";
import { median } from "./measure.js";
import { PEERS } from "./peers/index.js";
import { cellTime, peakGigaflops, ratio, roofline, stepFractions, summary } from "./statistics.js";
import {
  BUILDS,
  int8Errors,
  int8Table,
  OURS,
  peersOf,
  rankedCases,
  ratioTable,
  rooflineTable,
  splitTable,
  timeTable,
} from "./tables.js";
import {
  BLOCK_US_PER_SAMPLE,
  COLD_START_MS,
  DETERMINISTIC,
  INT8,
  MATMUL_FRACTION,
  MEAN_FLOOR,
  OVERHEAD_US,
  RATIO_FLOORS,
  RECURRENT_FRACTIONS,
  SIZES,
} from "./targets.js";
import { digits, markdownTable, microseconds, percent, plainTable, thousands, times } from "./text.js";
import { section as threadsSection } from "./threads/report.js";

const THREADS = new URL("threads/results.json", import.meta.url);

/** Every target that this run can tell about: what it asks, what was reached, and whether that is enough. */
function targets(results) {
  const { cells = [], old, roofline: measured, stream, cold, sizes } = results;
  const list = [];
  const add = (name, asked, got, met) => list.push({ name, asked, got, met });
  const atLeast = (name, floor, got, show) => {
    if (got !== undefined) add(name, `≥ ${show(floor)}`, show(got), got >= floor);
  };
  const below = (name, limit, got, show) => {
    if (got !== undefined) add(name, `≤ ${show(limit)}`, show(got), got <= limit);
  };

  for (const [name, floor] of Object.entries(RATIO_FLOORS)) {
    atLeast(`${name} to onnxruntime-web`, floor, ratio(cells, name, "relaxed", "web"), times);
  }
  const complete = (rows, peer) => {
    const found = summary(rows, peer, "web");
    return found?.cases === Object.keys(RATIO_FLOORS).length ? found : undefined;
  };
  atLeast("geometric mean", MEAN_FLOOR, complete(cells, "relaxed")?.mean, times);
  for (const [version, rows] of [
    [results.node, cells],
    [old?.node, old?.cells ?? []],
  ]) {
    const found = complete(rows, "deterministic");
    if (found === undefined) continue;
    atLeast(`deterministic, Node ${version}: geometric mean`, DETERMINISTIC.mean, found.mean, times);
    atLeast(
      `deterministic, Node ${version}: least (${found.least.caseName})`,
      DETERMINISTIC.ratio,
      found.least.ratio,
      times,
    );
  }
  for (const spec of rankedCases(cells)) {
    const { name, batch, hidden } = spec;
    const int8 = (title, floor, peer, other) =>
      atLeast(`${name}, ${title}`, floor, ratio(cells, name, peer, other), times);
    if (name in INT8.floors) int8("int8 to onnxruntime-web", INT8.floors[name], "int8", "web");
    if (batch > 1) continue;
    if (hidden >= INT8.native.hidden) int8("int8 to onnxruntime-node", INT8.native.ratio, "int8", "node");
    if (hidden < INT8.deterministic.hidden) continue;
    int8("int8 to float32, deterministic", INT8.deterministic.ratio, "int8Deterministic", "deterministic");
  }
  const block = cellTime(cells, "block-1x40", "relaxed");
  if (block !== undefined) {
    below("block-1x40 a sample", BLOCK_US_PER_SAMPLE, block.us / caseNamed("block-1x40").steps, microseconds);
  }
  below(
    "overhead: a step of H = 1",
    OVERHEAD_US,
    cellTime(cells, "overhead-1x1", "relaxed")?.us,
    microseconds,
  );
  if (measured !== undefined) {
    for (const peer of BUILDS) {
      const peak = peakGigaflops(measured[peer]);
      for (const { inputs, outputs, gigaflops } of measured[peer].products) {
        const fraction = gigaflops / peak;
        atLeast(`matmul ${inputs} → ${outputs}, ${peer}`, MATMUL_FRACTION, fraction, percent);
      }
    }
    for (const { hidden, fraction } of stepFractions(measured.relaxed)) {
      atLeast(
        `recurrent step of ${hidden} by itself`,
        RECURRENT_FRACTIONS[`recurrent-${hidden}`],
        fraction,
        percent,
      );
    }
    for (const [name, floor] of Object.entries(RECURRENT_FRACTIONS)) {
      const time = cellTime(cells, name, "relaxed");
      if (time === undefined) continue;
      const fraction = roofline(caseNamed(name), measured.relaxed).us / time.us;
      atLeast(`${name} of the roofline`, floor, fraction, percent);
    }
  }
  if (stream !== undefined) {
    for (const [peer, { heldBytes, steps }] of Object.entries(stream.heap)) {
      below(`bytes of heap held after ${thousands(steps)} steps, ${peer}`, 4096, heldBytes, thousands);
    }
  }
  const ours = cold?.starts.find(({ peer }) => peer === "relaxed");
  if (ours !== undefined) {
    below(
      "cold start",
      COLD_START_MS,
      median(ours.rounds.map((round) => round.firstOutputMs)),
      (ms) => `${digits(ms)} ms`,
    );
  }
  if (sizes !== undefined) {
    for (const { name, raw, gzip } of sizes) {
      if (name.startsWith("lstm-wasm without formats"))
        below("bundle, gzip", SIZES.bundles["*"], gzip, thousands);
      if (name.includes("simd.wasm (")) below(name.split(" ")[0], SIZES.binary, raw, thousands);
    }
  }
  return list;
}

export function consoleReport(results) {
  const { cells, old, roofline: measured } = results;
  const parts = [`${results.machine.cpu}, core ${results.machine.core}, Node ${results.node}`];
  if (cells !== undefined) {
    const timed = CASES.filter((spec) => cells.some((cell) => cell.caseName === spec.name));
    const [header, rows] = timeTable(cells, (spec) => spec.name, timed);
    parts.push(plainTable(header, rows));
    if (peersOf(cells).some((peer) => !OURS.includes(peer))) parts.push(plainTable(...ratioTable(cells)));
    if (peersOf(cells).some((peer) => PEERS[peer].int8)) parts.push(plainTable(...int8Table(cells)));
    if (measured !== undefined) parts.push(plainTable(...rooflineTable(results)));
  }
  if (results.split !== undefined && measured !== undefined) parts.push(plainTable(...splitTable(results)));
  if (results.check !== undefined) {
    const [header, rows] = int8Errors(results.check);
    if (header.length > 1) parts.push(plainTable(header, rows));
  }
  if (old !== undefined) {
    const rows = rankedCases(old.cells).map(({ name }) => [
      name,
      times(ratio(old.cells, name, "deterministic", "web")),
    ]);
    rows.push(["geometric mean", times(summary(old.cells, "deterministic", "web")?.mean)]);
    parts.push(plainTable(["case", `deterministic to onnxruntime-web, Node ${old.node}`], rows));
  }
  if (measured !== undefined) {
    for (const peer of BUILDS) {
      const { tiles, bandwidth, products, recurrentSteps } = measured[peer];
      parts.push(
        [
          `roofline ${peer}: ${tiles.map((tile) => `${tile.rows}x2 ${digits(tile.gigaflops)}`).join(", ")} GFLOP/s`,
          `  matmul: ${products.map((one) => `${one.inputs} → ${one.outputs} ${digits(one.gigaflops)}`).join(", ")} GFLOP/s`,
          `  recurrent step: ${recurrentSteps.map((one) => `${one.hidden} ${digits(one.gigabytesPerSecond)}`).join(", ")} GB/s`,
          `  read GB/s: ${bandwidth.map((one) => `${one.bytes / 1024}K ${digits(one.gigabytesPerSecond)}`).join(", ")}`,
        ].join("\n"),
      );
    }
  }
  const disturbed = disturbedRounds(results);
  if (disturbed.length > 0) {
    parts.push(`${disturbed.length} measurements had less than 97 % of the core: the machine was not quiet.`);
  }
  const asked = targets(results);
  const missed = asked.filter(({ met }) => !met);
  parts.push(
    missed.length === 0
      ? `This run tells about ${asked.length} targets; none is missed.`
      : plainTable(
          ["below its target", "asked", "got"],
          missed.map(({ name, asked, got }) => [name, asked, got]),
        ),
  );
  parts.push(`took ${results.tookSeconds} s`);
  return parts.join("\n\n");
}

function allRounds({ cells = [], old }) {
  return [...cells, ...(old?.cells ?? [])].flatMap((cell) => cell.rounds);
}

function disturbedRounds(results) {
  return allRounds(results).filter((round) => round.coreShare < 0.97);
}

function readme(results) {
  const { machine, settings, cells, old, roofline: measured, stream, cold, sizes, check } = results;
  const caches = machine.caches.map(({ level, size }) => `L${level} ${size}`).join(", ");
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  const largest = Math.max(
    ...Object.values(check.differences).flatMap((one) =>
      Object.entries(one).flatMap(([peer, { max }]) => (PEERS[peer].int8 ? [] : [max])),
    ),
  ).toExponential(1);
  const disturbed = disturbedRounds(results).length;

  const sections = [
    "# Benchmark",
    "<!-- Written by bench/report.js from bench/results.json. -->",
    `\`npm run bench\` on ${results.date}; \`node bench/run.js --help\` tells how to run a part of it.`,
    [
      `- Machine: ${machine.cpu}, ${caches}, ${machine.memoryGiB} GiB, ${machine.system}; everything on core ${machine.core}.`,
      `- Versions: Node ${results.node}${old === undefined ? "" : ` (and ${old.node} where said)`}, ${versions.join(", ")}.`,
      `- Command: \`${results.command}\`, ${results.tookSeconds} s.`,
      `- Raw numbers: [results.json](results.json).`,
    ].join("\n"),
    "![Speed relative to onnxruntime-web](chart.svg)",
    "## How it is measured",
    [
      `Every number comes from a process of its own, pinned to one core. There are ${settings.rounds} rounds; in each the cases are`,
      "shuffled, and so are the peers within a case, which run right after one another. A process warms up for",
      `at least ${settings.warmupMs} ms (onnxruntime-web 600 ms, tfjs 300 ms: V8 has more of their wasm to optimise) and until it`,
      "gets no faster,",
      `and then takes samples of at least 1 ms for ${settings.measureMs} ms; its result is their median. The table shows the`,
      "median over rounds and half the distance from the least to the greatest. Ratios are taken within a round; shown is",
      "their median.",
    ].join("\n"),
    [
      "A timed call begins with a JavaScript `Float32Array` and ends with output and states readable in JavaScript. Every",
      "call gets initial states. In steps and in `block-1x40` the final states are the next call's initial states: our",
      "stream keeps them (reading them too is measured below), onnxruntime takes back the tensors it gave.",
    ].join("\n"),
    [
      "Peers run on one thread, as fast as their interfaces allow:",
      "",
      "- onnxruntime-web, onnxruntime-node: one LSTM or GRU node per layer, fixed shapes, all graph optimisations,",
      "  argument tensors made once; a step's model gives the final states only. onnxruntime-node writes into outputs",
      "  made once; onnxruntime-web leaves such outputs unwritten on wasm, so it makes its own.",
      "- tfjs-backend-wasm: has no LSTM kernel. A cell composed of its operations, the inputs of all steps as one product.",
      "- onnxruntime-web, int8 and onnxruntime-node, int8: DynamicQuantizeLSTM, weights as onnxruntime's quantiser makes",
      "  them (`quantize_dynamic` with a scale per row). onnxruntime has none for GRU.",
      "",
      `Before anything is timed each peer's outputs and states are compared with our float32 on every case: at most`,
      `${largest} apart, where ${check.bound.toExponential(0)} is allowed. What int8 weights make of it is below.`,
    ].join("\n"),
    `A process also measures which share of its core it had. Of ${allRounds(results).length} measurements ${disturbed} had less than 97 %.`,
    "## Time of a call",
    markdownTable(...timeTable(cells, (spec) => `${spec.name}: ${describeCase(spec)}`)),
    "## Times faster",
    "How many times faster lstm-wasm is (relaxed build unless said). The floor is what the project asks of itself.",
    markdownTable(...ratioTable(cells)),
    "## Eight-bit weights",
    "How many times faster lstm-wasm with int8 weights is, in the same run (relaxed build unless said).",
    markdownTable(...int8Table(cells)),
    [
      "What they cost: difference to float32, the largest over output and final states, the mean over the output. Weights are",
      "uniform, for which a scale per row gains little. [int8/README.md](int8/README.md) has trained networks.",
    ].join("\n"),
    markdownTable(...int8Errors(check)),
  ];

  if (old !== undefined) {
    const [header, rows] = timeTable(old.cells, (spec) => spec.name);
    rows.forEach((row, index) => {
      row.push(times(ratio(old.cells, rankedCases(old.cells)[index].name, "deterministic", "web")));
    });
    const blank = header.slice(1).map(() => "");
    rows.push(["geometric mean", ...blank, times(summary(old.cells, "deterministic", "web").mean)]);
    sections.push(
      `## The baseline build in Node ${old.node}`,
      "Node 20 has no relaxed SIMD without a flag, so this is what its users get.",
      markdownTable([...header, "times faster"], rows),
    );
  }

  const peaks = BUILDS.map((peer) => `${digits(peakGigaflops(measured[peer]))} GFLOP/s ${peer}`);
  sections.push(
    "## Roofline",
    [
      `Peak of multiply-adds in 128-bit wasm, measured in the same run (bench/roofline.ts, the best of three tiles): ${peaks.join(", ")}.`,
      "Reading weights, by size of what is read again and again:",
    ].join("\n"),
    markdownTable(
      ["KiB", ...measured.relaxed.bandwidth.map(({ bytes }) => thousands(bytes / 1024))],
      [["GB/s", ...measured.relaxed.bandwidth.map((point) => digits(point.gigabytesPerSecond))]],
    ),
    "Our product kernel by itself (120 rows):",
    markdownTable(
      ["build", ...measured.relaxed.products.map(({ inputs, outputs }) => `${inputs} → ${outputs}`)],
      BUILDS.map((peer) => [
        peer,
        ...measured[peer].products.map(
          ({ gigaflops }) =>
            `${digits(gigaflops)} GFLOP/s, ${percent(gigaflops / peakGigaflops(measured[peer]))}`,
        ),
      ]),
    ),
    "Our recurrent step by itself (one row, activations included), and how much that is of reading its weights alone:",
    markdownTable(
      ["build", ...measured.relaxed.recurrentSteps.map(({ hidden }) => `H = ${hidden}`)],
      BUILDS.map((peer) => [
        peer,
        ...stepFractions(measured[peer]).map(
          ({ gigabytesPerSecond, fraction }) => `${digits(gigabytesPerSecond)} GB/s, ${percent(fraction)}`,
        ),
      ]),
    ),
    [
      "Counts of a call: 2 floating point operations per weight, step and row; W_ih read once and W_hh once per step.",
      "The least time is, for the product with all inputs and for the recurrent steps each, the larger of operations over",
      "peak and bytes over the bandwidth of a matrix of that size; a single step is one such phase. Activations, which are",
      "most of the work at H ≤ 64, copies and checks are in no count: they only lower the fraction. Above 100 % the",
      "alternating walk found more in the cache than a walk in one direction does. `recurrent-H` has one input number, so",
      "it is the recurrent step through `forward`, with the host's part.",
    ].join("\n"),
    markdownTable(...rooflineTable(results)),
    [
      "Where the time of a call of `forward` goes (relaxed): the call; its kernel calls alone, replayed with the same arguments; the",
      "least time for these; the rest, which is the host's; and what it takes by itself to make arrays for the results and copy the",
      "numbers in, again and again, with all in the cache.",
    ].join("\n"),
    markdownTable(...splitTable(results)),
    "## Stream steps",
    `Latency of a step (${describeCase(caseNamed(stream.caseName))}), each timed by itself, the clock included:`,
    markdownTable(
      ["", "steps", "p50", "p99", "p99.9", "largest"],
      Object.entries(stream.latency).map(([peer, { steps, p50, p99, p999, largest: worst }]) => [
        PEERS[peer].title,
        thousands(steps),
        ...[p50, p99, p999, worst].map(microseconds),
      ]),
    ),
    BUILDS.filter((peer) => peer in stream.heap)
      .map((peer) => {
        const { steps, collections, heldBytes, garbageBytesUncollected } = stream.heap[peer];
        const overhead = cellTime(cells, "overhead-1x1", peer);
        return [
          `- ${PEERS[peer].title}: a step of H = 1, all overhead, takes ${microseconds(overhead.us)}.`,
          `  Reading \`stream.state\` after every step makes ${microseconds(cellTime(cells, stream.caseName, peer).us)} into ${microseconds(stream.withState[peer].us)}.`,
          `  After ${thousands(steps)} steps the JavaScript heap holds ${heldBytes} bytes more; ${collections} collections ran meanwhile,`,
          `  and ${garbageBytesUncollected} bytes were waiting for one.`,
        ].join("\n");
      })
      .join("\n"),
    "## Cold start and memory",
    [
      `From before \`import()\` to the first output of ${cold.caseName}, weights (or model bytes) in memory and the garbage of making them`,
      `collected; ${cold.starts[0].rounds.length} processes each, median.`,
      "Memory is the resident set after the first output and how much of it came since before the import.",
    ].join("\n"),
    markdownTable(
      ["", "first output", "memory", "of it added"],
      cold.starts.map(({ peer, rounds }) => {
        const of = (name) => median(rounds.map((round) => round[name]));
        return [
          PEERS[peer].title,
          `${digits(of("firstOutputMs"))} ms`,
          `${digits(of("rssMiB"))} MiB`,
          `${digits(of("addedRssMiB"))} MiB`,
        ];
      }),
    ),
    `Of lstm-wasm's first output, in processes of their own, medians: ${coldParts(cold.parts)}.`,
    "## Size",
    markdownTable(
      ["bytes", "raw", "gzip -9", "brotli -11"],
      sizes.map(({ name, raw, gzip, brotli }) => [name, thousands(raw), thousands(gzip), thousands(brotli)]),
    ),
    ...(existsSync(THREADS) ? [threadsSection(JSON.parse(readFileSync(THREADS, "utf8")))] : []),
    "## Two revisions",
    [
      "`npm run bench:ab -- REVISION` compares this checkout with another revision; `--dist FOLDER` takes a built one instead.",
      "`--help` lists the options. It needs what the root's `npm ci` brings, and a Node with relaxed SIMD, which it installs",
      "where there is none.",
      "",
      "Both sides are built and copied to paths of one length. Every measurement is a new process on one core. The two",
      "processes of a pair run right after one another, and who is first alternates. A process warms up for 100 ms and until",
      "it gets no faster. Then it takes samples for 120 ms. The case `start` is import, weights and first step.",
      "",
      "For each case and build the table has the median of the paired ratios new / old, below 1 where the new side is faster.",
      "Its 95 % interval is by order statistics: of 15 ratios the fourth least to the fourth greatest, which covers 96.5 %.",
      "`slower` stands where the median is above 1.01 and the interval excludes 1, and `faster` the other way round. Of 30",
      "equal rows one has an interval without 1 by chance, so run a surprising case again by itself (`--case NAME`).",
    ].join("\n"),
    "## Targets",
    markdownTable(
      ["", "asked", "got", ""],
      targets(results).map(({ name, asked, got, met }) => [name, asked, got, met ? "met" : "**below**"]),
    ),
    "What bounds those that are below, and what was tried: [docs/performance.md](../docs/performance.md#what-falls-short).",
  );
  return `${sections.join("\n\n")}\n`;
}

function coldParts(parts) {
  const of = (name) => `${digits(median(parts.map((part) => part[name])))} ms`;
  return `import ${of("importMs")}, compiling the wasm ${of("initMs")}, weights ${of("weightsMs")}, stream and first step ${of("stepMs")}`;
}

/** Writes README.md and chart.svg into `folder`. */
export function writeReport(results, folder) {
  writeFileSync(`${folder}README.md`, readme(results));
  writeFileSync(`${folder}chart.svg`, chart(results));
  writeFigures(`${folder}../`, results);
}
