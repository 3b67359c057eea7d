/** The order of names that end with numbers. */

/** `10` after `9`, `lstm_10` after `lstm_9`. */
export function byNumber(a: string, b: string): number {
  const [first, second] = [a, b].map((name) => /^(.*?)(\d{0,9})$/s.exec(name)!) as [
    RegExpExecArray,
    RegExpExecArray,
  ];
  if (first[1] !== second[1]) return first[1]! < second[1]! ? -1 : 1;
  return Number(first[2]) - Number(second[2]);
}
