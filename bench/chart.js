/**
 * The chart of a run: how fast each peer is relative to onnxruntime-web, case by case, on a logarithmic scale. The
 * background is transparent and all colours are of middle brightness, so that it reads on a light and on a dark page.
 */
import { CASES, describeCase } from "./cases.js";
import { PEERS } from "./peers/index.js";
import { cellTime, ratio } from "./statistics.js";

const TEXT = "#7a8490";
const OURS = "#2f81f7";

/** How each peer is drawn; the last is drawn on top. */
const MARKS = {
  tfjs: { colour: "#9a6fd8", shape: "triangle" },
  node: { colour: "#d9782d", shape: "diamond" },
  deterministic: { colour: OURS, shape: "ring" },
  relaxed: { colour: OURS, shape: "disc" },
};

const WIDTH = 960;
const LEFT = 356;
const RIGHT = 92;
const TOP = 92;
const ROW = 24;
const GROUP_GAP = 12;
const BOTTOM = 56;

/** Cases of one kind stand together. */
const groupOf = ({ name, cell }) => (cell === "gru" ? "gru" : name.split("-")[0]);

/** @returns the SVG's text */
export function chart({ cells, node, machine, date }) {
  const rows = layOut(cells);
  const speeds = rows.flatMap(({ points }) => points.map(({ speed }) => speed));
  const least = Math.min(0.5, ...speeds) / 1.2;
  const greatest = Math.max(2, ...speeds) * 1.2;
  const plotRight = WIDTH - RIGHT;
  const x = (speed) => LEFT + (Math.log(speed / least) / Math.log(greatest / least)) * (plotRight - LEFT);
  const bottom = rows.at(-1).y + ROW / 2;
  const height = bottom + BOTTOM;
  const text = (at, y, content, more = "") =>
    `<text x="${at}" y="${y}" ${more}>${escapeText(content)}</text>`;

  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="${TEXT}">`,
    "<title>Speed of lstm-wasm and its peers relative to onnxruntime-web</title>",
    `<desc>${escapeText(`${machine.cpu}, Node ${node}, ${date}`)}</desc>`,
    text(16, 26, "Speed relative to onnxruntime-web, one core", 'font-size="16" font-weight="600"'),
    legend(),
    text(WIDTH - 12, TOP - 14, "time of a call", 'text-anchor="end" font-size="12"'),
  ];
  for (const tick of ticks(least, greatest)) {
    const at = round(x(tick));
    const stroke = tick === 1 ? 'stroke-width="1.5"' : 'stroke-opacity="0.25"';
    parts.push(
      `<line x1="${at}" y1="${TOP - 10}" x2="${at}" y2="${bottom}" stroke="${TEXT}" ${stroke}/>`,
      text(at, bottom + 18, `${tick}×`, 'text-anchor="middle" font-size="12"'),
    );
  }
  parts.push(
    text(
      round((LEFT + plotRight) / 2),
      bottom + 42,
      "← slower · times as fast as onnxruntime-web (1×), logarithmic · faster →",
      'text-anchor="middle" font-size="12"',
    ),
  );
  for (const { y, label, points, time } of rows) {
    const ours = points.find(({ peer }) => peer === "relaxed");
    parts.push(text(LEFT - 14, y + 4.5, label, 'text-anchor="end"'));
    if (ours !== undefined) {
      const [from, to] = [x(1), x(ours.speed)].sort((a, b) => a - b).map(round);
      parts.push(
        `<line x1="${from}" y1="${y}" x2="${to}" y2="${y}" stroke="${OURS}" stroke-opacity="0.35" stroke-width="5"/>`,
      );
    }
    parts.push(text(WIDTH - 12, y + 4.5, time, 'text-anchor="end" font-size="12"'));
    for (const peer of Object.keys(MARKS)) {
      const point = points.find((candidate) => candidate.peer === peer);
      if (point !== undefined) parts.push(mark(peer, round(x(point.speed)), y));
    }
  }
  parts.push("</svg>");
  return `${parts.join("\n")}\n`;
}

function layOut(cells) {
  const shown = CASES.filter(
    ({ ranked, name }) =>
      ranked && cells.some(({ caseName, peer }) => caseName === name && peer === "relaxed"),
  );
  let y = TOP + ROW / 2;
  return shown.map((spec, index) => {
    if (index > 0) y += ROW + (groupOf(spec) === groupOf(shown[index - 1]) ? 0 : GROUP_GAP);
    const points = Object.keys(MARKS)
      .map((peer) => ({ peer, speed: ratio(cells, spec.name, peer, "web") }))
      .filter(({ speed }) => speed !== undefined);
    const { us } = cellTime(cells, spec.name, "relaxed");
    return { y, label: describeCase(spec), points, time: timeText(us) };
  });
}

function timeText(us) {
  return us >= 1000 ? `${Number((us / 1000).toPrecision(3))} ms` : `${Number(us.toPrecision(3))} µs`;
}

/** 1, 2 and 5 of each power of ten; of a wide range 1 and 3. */
function ticks(least, greatest) {
  const wide = Math.log10(greatest / least) > 2;
  const result = [];
  for (let power = -4; power <= 4; power++) {
    for (const digit of wide ? [1, 3] : [1, 2, 5]) {
      const tick = Number((digit * 10 ** power).toPrecision(1));
      if (tick >= least && tick <= greatest) result.push(tick);
    }
  }
  return result;
}

function legend() {
  let at = 22;
  return Object.keys(MARKS)
    .reverse()
    .map((peer) => {
      const label = `${PEERS[peer].title} (${PEERS[peer].note})`;
      const entry = `${mark(peer, at, 50)}<text x="${at + 12}" y="54.5" font-size="12">${escapeText(label)}</text>`;
      at += 32 + label.length * 6.7;
      return entry;
    })
    .join("\n");
}

function mark(peer, x, y) {
  const { colour, shape } = MARKS[peer];
  if (shape === "disc") return `<circle cx="${x}" cy="${y}" r="6" fill="${colour}"/>`;
  if (shape === "ring") {
    return `<circle cx="${x}" cy="${y}" r="5" fill="none" stroke="${colour}" stroke-width="2"/>`;
  }
  const path = shape === "diamond" ? "l6 6l-6 6l-6 -6z" : "l6 10.5h-12z";
  return `<path d="M${x} ${y - 6}${path}" fill="${colour}"/>`;
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function escapeText(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
