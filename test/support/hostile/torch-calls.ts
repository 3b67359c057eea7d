/** Pickles that would run something, in the ways a pickle can. */
import { call, dict, op, tensor, tuple } from "../torch-writer.js";

/** Title, the value that is pushed, the function that the reader has to name. */
export const CALLS: [string, readonly number[], string][] = [
  ["os.system by GLOBAL", call("os", "system", op.text("id")), "os.system"],
  ["posix.system", call("posix", "system", op.text("id")), "posix.system"],
  [
    "nt.system by STACK_GLOBAL",
    [...op.stackGlobal("nt", "system"), ...tuple(op.text("id")), ...op.reduce],
    "nt.system",
  ],
  ["builtins.eval", call("builtins", "eval", op.text("1")), "builtins.eval"],
  ["__builtin__.exec", call("__builtin__", "exec", op.text("1")), "__builtin__.exec"],
  ["builtins.__import__", call("builtins", "__import__", op.text("os")), "builtins.__import__"],
  ["eval by a dotted name", call("builtins", "eval.__call__", op.text("1")), "builtins.eval.__call__"],
  [
    "subprocess.Popen by NEWOBJ",
    [...op.global("subprocess", "Popen"), ...tuple(op.text("id")), ...op.newObject],
    "subprocess.Popen",
  ],
  ["os.path by a submodule", call("os.path", "join", op.text("id")), "os.path.join"],
  [
    "runpy beside a good state dict",
    dict({ weight: tensor(), x: call("runpy", "run_path", op.text("x")) }),
    "runpy.run_path",
  ],
];
