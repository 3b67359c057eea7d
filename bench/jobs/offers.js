/** What a build of the library has of what an AbCase may need. */
import { caseNamed, stateDict } from "../cases.js";

export default async function offers({ library }) {
  const exported = await import(library);
  return {
    Linear: "Linear" in exported,
    Conv1d: "Conv1d" in exported,
    int8: quantises(exported),
  };
}

function quantises({ LSTM }) {
  try {
    return LSTM.fromStateDict(stateDict(caseNamed("step-1x40")), { precision: "int8" }).precision === "int8";
  } catch {
    return false;
  }
}
