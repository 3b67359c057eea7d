/** Waveform, probability and speech segments over time, as an SVG that reads on light and on dark pages. */

const WIDTH = 960;
const LEFT = 72;
const RIGHT = 12;
const WAVE = { top: 40, height: 100 };
const CURVE = { top: 164, height: 90 };
const HEIGHT = 288;

/** Middle tones: each has a contrast of 4 or more to white, and to the near black of dark pages. */
const TEXT = "#76797e";
const WAVEFORM = "#4a7fb5";
const PROBABILITY = "#c4621a";
const SPEECH = "#2f8f5b";

/**
 * @param {{ title: string, samples: Float32Array, sampleRate: number, probabilities: number[], frame: number,
 *   threshold: number, segments: { from: number, to: number }[], parts: { name: string, from: number }[] }} what `frame`
 *   and `from` in seconds
 * @returns {string}
 */
export function plot({ title, samples, sampleRate, probabilities, frame, threshold, segments, parts }) {
  const duration = samples.length / sampleRate;
  const x = (seconds) => round(LEFT + (Math.min(seconds, duration) / duration) * (WIDTH - LEFT - RIGHT));
  const y = (probability) => round(CURVE.top + (1 - probability) * CURVE.height);
  const bottom = CURVE.top + CURVE.height;
  const label = (row, words) =>
    `<text x="${LEFT - 10}" y="${row.top + row.height / 2}" text-anchor="end">${words}</text>`;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="sans-serif" font-size="13" fill="${TEXT}">`,
    `<title>${escapeXml(title)}</title>`,
    ...segments.map(
      ({ from, to }) =>
        `<rect x="${x(from)}" y="${WAVE.top}" width="${round(x(to) - x(from))}" height="${bottom - WAVE.top}" fill="${SPEECH}" fill-opacity="0.16"/>`,
    ),
    ...parts.map(
      ({ name, from }) =>
        `<path d="M${x(from)} 12V${bottom}" stroke="${TEXT}" stroke-opacity="0.5"/><text x="${x(from) + 8}" y="24">${escapeXml(name)}</text>`,
    ),
    label(WAVE, "sound"),
    label(CURVE, "speech"),
    `<path d="${waveform(samples)}" stroke="${WAVEFORM}" fill="none"/>`,
  ];
  for (const level of [0, 1]) {
    lines.push(
      `<path d="M${LEFT} ${y(level)}H${WIDTH - RIGHT}" stroke="${TEXT}" stroke-opacity="0.5"/>`,
      `<text x="${LEFT - 10}" y="${y(level) + 4}" text-anchor="end">${level}</text>`,
    );
  }
  // A frame's probability stands at its end, when it is known.
  const curve = probabilities.map((p, at) => `L${x((at + 1) * frame)} ${y(p)}`).join("");
  lines.push(
    `<path d="M${LEFT} ${y(threshold)}H${WIDTH - RIGHT}" stroke="${PROBABILITY}" stroke-dasharray="4 4"/>`,
    `<path d="M${LEFT} ${y(0)}${curve}V${y(0)}z" fill="${PROBABILITY}" fill-opacity="0.2"/>`,
    `<path d="M${LEFT} ${y(0)}${curve}" stroke="${PROBABILITY}" stroke-width="2" fill="none"/>`,
  );
  const step =
    [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60].find((seconds) => duration / seconds <= 16) ?? duration / 8;
  for (let tick = 0; tick * step <= duration; tick++) {
    lines.push(
      `<path d="M${x(tick * step)} ${bottom}v5" stroke="${TEXT}"/>`,
      `<text x="${x(tick * step)}" y="${bottom + 22}" text-anchor="middle">${round(tick * step)} s</text>`,
    );
  }
  return `${lines.join("\n")}\n</svg>\n`;
}

/** One vertical line per pixel from the least to the largest sample, scaled to the loudest. */
function waveform(samples) {
  const columns = WIDTH - LEFT - RIGHT;
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-9);
  const y = (sample) => round(WAVE.top + (0.5 - (sample / peak) * 0.48) * WAVE.height);
  let path = "";
  for (let column = 0; column < columns; column++) {
    const part = samples.subarray(
      Math.floor((column * samples.length) / columns),
      Math.max(1, Math.floor(((column + 1) * samples.length) / columns)),
    );
    const least = part.reduce((a, b) => Math.min(a, b), 1);
    const most = part.reduce((a, b) => Math.max(a, b), -1);
    path += `M${LEFT + column + 0.5} ${y(most)}V${round(y(least) + 0.5)}`;
  }
  return path;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escapeXml(text) {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
