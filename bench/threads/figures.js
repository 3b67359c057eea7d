/** From the raw numbers of a run to what its tables show. */
import { median } from "../measure.js";

/** Two cores that give less than 1.6 times one were not both free. */
const LEAST_CEILING = 0.8;

/** One round: how many times faster several threads are, the ceiling of the same turns, and the share of it. */
export function roundFigures({ oneUs, manyUs, asleepUs, togetherUs }, threads) {
  const faster = oneUs / manyUs;
  if (togetherUs === undefined) return { faster, counts: true };
  const ceiling = (threads * oneUs) / togetherUs;
  return {
    faster,
    ceiling,
    share: faster / ceiling,
    fromSleep: oneUs / asleepUs,
    counts: ceiling >= LEAST_CEILING * threads,
  };
}

/** The median with the least and the greatest; undefined of nothing. */
export function spreadOf(numbers) {
  if (numbers.length === 0) return undefined;
  return { median: median(numbers), least: Math.min(...numbers), greatest: Math.max(...numbers) };
}

/**
 * A case over its rounds. Those with too low a ceiling are void; where they are more than the others, so is the case, and
 * its figures are of all rounds.
 */
export function caseFigures(attempts, threads) {
  const all = attempts.map((attempt) => ({ ...attempt, ...roundFigures(attempt, threads) }));
  const counted = all.filter(({ counts }) => counts);
  const isVoid = 2 * counted.length < all.length;
  const of = (name) =>
    spreadOf((isVoid ? all : counted).map((one) => one[name]).filter((number) => number !== undefined));
  const web = (isVoid ? all : counted).filter(({ webUs }) => webUs !== undefined);
  return {
    isVoid,
    voidRounds: all.length - counted.length,
    rounds: all.length,
    oneUs: of("oneUs"),
    manyUs: of("manyUs"),
    faster: of("faster"),
    ceiling: of("ceiling"),
    share: of("share"),
    fromSleep: of("fromSleep"),
    webUs: of("webUs"),
    web: spreadOf(web.map(({ webUs, besideUs }) => webUs / besideUs)),
  };
}

/** Of calls among more threads than free cores: the median's and the mean's time, of one thread's. */
export function crowdFigures(rounds) {
  const ratio = (middle) => spreadOf(rounds.map(({ one, many }) => many[middle] / one[middle]));
  return { median: ratio("median"), mean: ratio("mean") };
}

/** What a figure is worth: "void", "met" or "below"; "" without a floor. */
export function verdict(isVoid, spread, floor) {
  if (floor === undefined || spread === undefined) return "";
  if (isVoid) return "void";
  return spread.median >= floor ? "met" : "below";
}
