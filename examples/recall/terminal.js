/** What the terminal can show: its width, and colours where it has them. */

/** 256-colour codes from cold to hot, and characters from light to dark, for terminals without colours. */
const HEAT = [233, 52, 88, 124, 160, 196, 202, 208, 214, 220, 227, 230];
const SHADES = " .:-=+*#%@";

/** Without a terminal, as in a pipe or a file, lines are this wide. */
const PLAIN_WIDTH = 100;

export class Terminal {
  /**
   * Node's own `hasColors` reads NO_COLOR, FORCE_COLOR and TERM.
   * @param {{ isTTY?: boolean, columns?: number, hasColors?: (count: number) => boolean }} stream process.stdout
   */
  constructor(stream) {
    this.coloured = stream.isTTY === true && stream.hasColors?.(256) === true;
    this.width = (stream.isTTY && stream.columns) || PLAIN_WIDTH;
  }

  /**
   * @param {string} text
   * @param {number} code one of the 256 colours
   */
  colour(text, code) {
    return this.coloured ? `\x1b[38;5;${code}m${text}\x1b[39m` : text;
  }

  /** @param {string} text */
  bold(text) {
    return this.coloured ? `\x1b[1m${text}\x1b[22m` : text;
  }

  /**
   * A bar of one value: hotter, or darker, the nearer it is to 1.
   * @param {number} value from 0 to 1
   * @param {number} width in characters
   */
  heat(value, width) {
    const pick = (/** @type {number} */ count) => Math.min(count - 1, Math.floor(value * count));
    if (!this.coloured) return SHADES[pick(SHADES.length)].repeat(width);
    return `\x1b[48;5;${HEAT[pick(HEAT.length)]}m${" ".repeat(width)}\x1b[49m`;
  }

  /** The scale that `heat` uses, from 0 to 1. */
  scale() {
    const steps = this.coloured ? HEAT.length : SHADES.length;
    return `0 ${Array.from({ length: steps }, (_, at) => this.heat((at + 0.5) / steps, 1)).join("")} 1`;
  }
}
