/** results.json as the page README.md. */

/** How those are called whose times ours are compared with. */
export const PEERS = { "onnxruntime-web": "onnxruntime-web", tfjs: "TF.js" };

/** Below this share of the core, something else ran there. */
const QUIET = 0.95;

export function table({ date, machine, node, versions, rounds, cases }) {
  const measured = cases.filter(({ ratio }) => ratio !== undefined);
  const least = Math.min(1, ...measured.map(({ coreShare = 1 }) => coreShare));
  const busy = rounds < 5 || least < QUIET;
  return `# Whole models beside onnxruntime-web and TF.js

Written by \`npm run bench:models\` on ${date}${busy ? ". **Preliminary**: few rounds, or a machine that did other work" : ""}.

- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; load ${machine.load.toFixed(1)} at the start
- Node ${node}, lstm-wasm ${versions["lstm-wasm"]}, onnxruntime-web ${versions["onnxruntime-web"]}, TF.js and its wasm backend ${versions["@tensorflow/tfjs-backend-wasm"]}; one core, of which a measurement had at least ${Math.round(least * 100)} %

Both run in the same process: \`model.stream().step\` (\`model.run\` where a model has no states and the name does not say "step") and
\`session.run\` with outputs passed on as feeds. Medians of ${rounds} fresh processes. The ratio is onnxruntime-web's time
over ours, with the least and the greatest of a process. A floor counts as met from 95 % of it. The difference is the
largest between both in 30 steps; the brackets name its output and the output's largest number. Proxies (CRNN, PyanNet,
RNN-T decoder, NSNet2, GE2E) have random weights: make_proxies.py writes them. "Import to first output" is of fresh
processes with the file in memory, three for each other one, import, load and first step together.

${tableOf(cases, "onnxruntime-web")}

Layers models, by \`loadTfjs\` beside TF.js' \`loadLayersModel\` on tfjs-backend-wasm, one thread. layers-models.js makes
them: sizes of models that people serve to browsers, random weights. \`model.run\` (of the stateful one \`model.stream().step\`)
and \`predict\`, from typed arrays to typed arrays. Outputs of 10 calls are compared.

${tableOf(cases, "tfjs")}

${measured.length} measured, ${cases.filter(({ leftOut }) => leftOut).length} left out, ${cases.filter(({ failed }) => failed).length} failed.
`;
}

/** The rows of the cases beside one peer. */
function tableOf(cases, peer) {
  const rows = cases.filter((result) => result.peer === peer).map(row);
  return `| model | ours | ${PEERS[peer]} | ratio | floor | met | largest difference |
|---|--:|--:|--:|--:|---|--:|
${rows.join("\n")}`;
}

/** A time in us, as readers want it. */
export function timeOf(us) {
  return us < 20_000 ? `${us.toFixed(1)} us` : `${(us / 1000).toFixed(1)} ms`;
}

function row({ name, floor, leftOut, failed, ...result }) {
  if (leftOut !== undefined) return `| ${name} | left out: ${leftOut} | | | ${floor}x | | |`;
  if (failed !== undefined)
    return `| ${name} | failed: ${failed.replaceAll("|", "\\|")} | | | ${floor}x | | |`;
  const { oursUs, theirsUs, ratio, least, greatest, met, difference, where, largest } = result;
  const spread = `**${ratio.toFixed(2)}x** (${least.toFixed(2)} to ${greatest.toFixed(2)})`;
  const apart =
    difference === undefined
      ? ""
      : difference === 0
        ? "none"
        : `${difference.toExponential(1)} (${where}, up to ${largest.toPrecision(2)})`;
  return `| ${name} | ${timeOf(oursUs)} | ${timeOf(theirsUs)} | ${spread} | ${floor}x | ${met ? "yes" : "no"} | ${apart} |`;
}
