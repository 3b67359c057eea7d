/** What a file's version of Keras decides: hard sigmoid's constants, and what a config means that leaves a field out. */

export interface KerasVersion {
  /** As the file has it: "3.15.1", "2.2.4-tf", "tfjs-layers 4.22.0". */
  readonly text: string | undefined;
  readonly major: 1 | 2 | 3;
  readonly minor: number;
  readonly isTfjs: boolean;
}

/**
 * Files without a version are those of Keras 1. tf_keras calls itself 2, and writes what it wrote before Keras 3.
 * @returns undefined for text that is no version
 */
export function versionOf(text: string | undefined): KerasVersion | undefined {
  if (text === undefined) return { text, major: 1, minor: 0, isTfjs: false };
  const isTfjs = text.startsWith("tfjs");
  const found = /(\d{1,4})\.(\d{1,4})/.exec(text.slice(0, 64));
  if (isTfjs) return { text, major: 2, minor: 0, isTfjs };
  const major = found === null ? 0 : Number(found[1]);
  if (found === null || major > 3) return undefined;
  return { text, major: major < 2 ? 1 : (major as 2 | 3), minor: Number(found[2]), isTfjs };
}

/** Whether Keras was a part of TensorFlow: 2.2.4-tf is written by TensorFlow 1.15, 2.0 and 2.1. */
const isOfTensorFlow = ({ text }: KerasVersion) => text?.includes("-tf") === true;

/** What `recurrent_activation` is where the config leaves it out; undefined where versions of one name differ. */
export function usualRecurrentActivation(version: KerasVersion): string | undefined {
  const { major, minor, isTfjs } = version;
  if (isTfjs || major === 1) return "hard_sigmoid";
  if (major === 3 || minor >= 3) return "sigmoid";
  return isOfTensorFlow(version) ? undefined : "hard_sigmoid";
}

/** What `reset_after` is where the config leaves it out, as it does before Keras 2.1.3. */
export function usualResetAfter({ major, minor, isTfjs }: KerasVersion): boolean {
  return !isTfjs && (major === 3 || (major === 2 && minor >= 4));
}

/** Whether a TimeDistributed gives the mask of its layer's steps: Keras 2.2 and later versions before 3 do. */
export function masksWithinSteps({ major, minor, isTfjs }: KerasVersion): boolean {
  return isTfjs || (major === 2 && minor >= 2);
}

/** Whether a Bidirectional gives zeros where the mask is 0. That of Keras before it was TensorFlow's repeats rows. */
export function zeroesMaskedRows(version: KerasVersion): boolean {
  return version.isTfjs || version.major === 3 || version.minor >= 4 || isOfTensorFlow(version);
}

/** Whether what merges tensors sees their masks: lists of them have none in the first versions of Keras 3. */
export function mergesMasks({ major, minor }: KerasVersion): boolean {
  return major < 3 || minor >= 4;
}
