/** Waveform, probability and speech segments over time, as an SVG. */

const WIDTH = 960;
const LEFT = 48;
const RIGHT = 16;
const WAVE = { top: 40, height: 120 };
const CURVE = { top: 184, height: 120 };
const HEIGHT = 344;

/**
 * @param {{ title: string, samples: Float32Array, sampleRate: number, probabilities: number[], frame: number,
 *   threshold: number, segments: { from: number, to: number }[] }} what `frame` in seconds
 * @returns {string}
 */
export function plot({ title, samples, sampleRate, probabilities, frame, threshold, segments }) {
  const duration = samples.length / sampleRate;
  const x = (seconds) => round(LEFT + (Math.min(seconds, duration) / duration) * (WIDTH - LEFT - RIGHT));
  const y = (probability) => round(CURVE.top + (1 - probability) * CURVE.height);
  const bottom = CURVE.top + CURVE.height;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="15" fill="#222">${escapeXml(title)}</text>`,
    ...segments.map(
      ({ from, to }) =>
        `<rect x="${x(from)}" y="${WAVE.top}" width="${round(x(to) - x(from))}" height="${bottom - WAVE.top}" fill="#dcefe3"/>`,
    ),
    `<path d="${waveform(samples)}" stroke="#51708f" fill="none"/>`,
  ];
  for (const level of [0, 0.5, 1]) {
    lines.push(
      `<path d="M${LEFT} ${y(level)}H${WIDTH - RIGHT}" stroke="#ccc"/>`,
      `<text x="${LEFT - 8}" y="${y(level) + 4}" text-anchor="end" fill="#555">${level}</text>`,
    );
  }
  lines.push(
    `<path d="M${LEFT} ${y(threshold)}H${WIDTH - RIGHT}" stroke="#b3541e" stroke-dasharray="4 4"/>`,
    // A frame's probability stands at its end, when it is known.
    `<path d="${probabilities.map((p, at) => `${at === 0 ? "M" : "L"}${x((at + 1) * frame)} ${y(p)}`).join("")}" stroke="#b3541e" stroke-width="1.5" fill="none"/>`,
  );
  const step =
    [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60].find((seconds) => duration / seconds <= 16) ?? duration / 8;
  for (let tick = 0; tick * step <= duration; tick++) {
    lines.push(
      `<path d="M${x(tick * step)} ${bottom}v5" stroke="#555"/>`,
      `<text x="${x(tick * step)}" y="${bottom + 20}" text-anchor="middle" fill="#555">${round(tick * step)} s</text>`,
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
  return Math.round(value * 100) / 100;
}

function escapeXml(text) {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
