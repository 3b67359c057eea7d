/**
 * What the host has to know of the kernels, read off the AssemblyScript program while it is compiled: the kernels'
 * signatures, where the fields of each record lie, and the integers that both sides count in.
 *
 * asc calls the transform of `abiTransform`. It gives the texts of build/abi.js (build/models-abi.js) and build/records/,
 * and puts a number into the binary that stands for them: an exported global `abi`. The host compares it with the number
 * that it was built with, so that a binary of other records is refused and never read wrongly.
 */

/** The first binary. `constants` are files whose exported integers the host shares. */
export const CORE = {
  abi: "abi",
  kernels: "Kernels",
  index: "assembly/index",
  records: ["assembly/records"],
  constants: /^assembly\/(records|activation|shaped|cells\/(?!index$).*)$/,
};

/** The kernels of whole models, on the first one's memory. */
export const MODELS = {
  abi: "models-abi",
  kernels: "ModelKernels",
  index: "assembly/models/index",
  records: ["assembly/models/records", "assembly/models/window-records"],
  constants: /^assembly\/models\//,
};

/** What shares a job among threads, each with an instance of the core. */
export const THREADS = {
  abi: "threads-abi",
  kernels: "ThreadKernels",
  index: "assembly/threads/index",
  records: ["assembly/threads/records"],
  constants: /^assembly\/threads\/records$/,
};

const MOST_PARAMETERS = 6;

/** A transform for asc's API; `emit` is called with a list of { file, js, types }. */
export function abiTransform(part, emit) {
  return class {
    afterCompile(module) {
      const { options } = this.program;
      const kernels = kernelsOf(this.program, part.index);
      const records = recordsOf(this.program, part.records);
      const sizes = part === CORE ? [["INITIAL_PAGES", options.initialMemory]] : [];
      const constants = [...sizes, ...constantsOf(this.program, part.constants)];
      // Kernels of models are handed the core's records too.
      const others = part === CORE ? [] : recordsOf(this.program, CORE.records);
      const number = hash(JSON.stringify([kernels, records, constants, ...others]));
      module.addGlobal("abi", this.binaryen.i32, false, module.i32.const(number));
      module.addGlobalExport("abi", "abi");
      emit([
        {
          file: part.abi,
          js: scriptText(records, constants, number),
          types: typesText(part, kernels, records, constants),
        },
        ...recordTexts(records).map((record) => ({ ...record, file: `records/${record.file}` })),
      ]);
    }
  };
}

function kernelsOf(program, index) {
  return exportsOf(program, index).map(([name, prototype]) => {
    const [kernel] = prototype.instances.values();
    const { parameterTypes, returnType } = kernel.signature;
    if (parameterTypes.length > MOST_PARAMETERS) {
      throw new RangeError(
        `${name}: expected at most ${MOST_PARAMETERS} parameters, got ${parameterTypes.length}`,
      );
    }
    const parameters = parameterTypes.map((_, at) => kernel.getParameterName(at));
    return { name, parameters, returns: returnType.toString() };
  });
}

/** The classes of files that the program uses; none of a file that it does not have. */
function recordsOf(program, files) {
  return files
    .flatMap((file) =>
      [...(program.filesByName.get(file)?.exports ?? [])].map(([name]) => ({
        name,
        record: program.instancesByName.get(`${file}/${name}`),
      })),
    )
    .filter(({ record }) => record?.nextMemoryOffset !== undefined)
    .map(({ name, record }) => {
      const fields = [...record.members.values()].map(({ instance }) => instance);
      for (const { name: field, type } of fields) {
        if (type.byteSize !== 4)
          throw new TypeError(`${name}.${field}: expected 4 bytes, got ${type.byteSize}`);
      }
      return {
        name,
        bytes: record.nextMemoryOffset,
        fields: fields.map(({ name: field, memoryOffset }) => [field, memoryOffset]),
      };
    });
}

function constantsOf(program, pattern) {
  const files = [...program.filesByName.keys()].filter((file) => pattern.test(file)).sort();
  return files.flatMap((file) =>
    exportsOf(program, file).flatMap(([name, element]) => {
      const text = element.declaration?.initializer?.range.toString();
      return /^[0-9]+$/.test(text ?? "") ? [[name, Number(text)]] : [];
    }),
  );
}

function exportsOf(program, file) {
  const found = program.filesByName.get(file);
  if (found === undefined) throw new Error(`${file}: not in the program; paths are relative to the project`);
  return [...found.exports];
}

/** FNV-1a, 31 bits. */
function hash(text) {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum & 0x7fffffff;
}

const GENERATED = "// Made of assembly/ by src/build/wasm.js.\n";

const upper = (name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();

/** build/abi.js, build/models-abi.js: the number, sizes and constants. */
function scriptText(records, constants, number) {
  const sizes = records.map(({ name, bytes }) => [`${upper(name)}_BYTES`, bytes]);
  const lines = [["ABI", number], ...sizes, ...constants].map(
    ([name, value]) => `export const ${name} = ${value};`,
  );
  return `${GENERATED}${lines.join("\n")}\n`;
}

/** Their declarations. */
function typesText(part, kernels, records, constants) {
  const signatures = kernels.map(({ name, parameters, returns }) => {
    const list = parameters.map((parameter) => `${parameter}: number`).join(", ");
    return `  ${name}(${list}): ${returns === "void" ? "void" : "number"};`;
  });
  const lines = [
    "/** Number of the records, signatures and constants here; the binary's export `abi` has the same. */",
    "export declare const ABI: number;",
    "/** The wasm surface; addresses and strides are bytes. What a kernel does is said at its definition in assembly/. */",
    `export interface ${part.kernels} {\n${signatures.join("\n")}\n}`,
    ...records.map(({ name, bytes }) => `export declare const ${upper(name)}_BYTES: ${bytes};`),
    ...constants.map(([name, value]) => `export declare const ${name}: ${value};`),
  ];
  return `${GENERATED}${lines.join("\n")}\n`;
}

/**
 * build/records/NAME.js with its types: the place of each field, in words of 4 bytes. A file each, since a bundler puts
 * numbers in the place of `Run.batch`, and keeps every name of an object.
 */
function recordTexts(records) {
  return records.map(({ name, fields }) => ({
    file: name.toLowerCase(),
    js: GENERATED + fields.map(([field, offset]) => `export const ${field} = ${offset / 4};\n`).join(""),
    types:
      GENERATED + fields.map(([field, offset]) => `export declare const ${field}: ${offset / 4};\n`).join(""),
  }));
}
