/** The choice of the binary, and the errors of engines that cannot run it. */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { instantiateSync } from "@assemblyscript/loader";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ABI, INITIAL_PAGES } from "../../build/abi.js";
import { compile, compileBuild, instantiate } from "../../src/bundle/binaries.js";
import { relaxedSimd, simd, toBytes } from "../../src/bundle/embedded.js";
import { modelsRelaxedSimd, modelsSimd } from "../../src/bundle/embedded-models.js";

const { embeddedText } = (await import(new URL("../../src/build/embed.js", import.meta.url).href)) as {
  embeddedText(binary: Uint8Array): string;
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** An engine that takes what `accepts` takes. */
function acceptOnly(accepts: (bytes: Uint8Array) => boolean): void {
  const { Module } = WebAssembly;
  vi.spyOn(WebAssembly, "validate").mockImplementation((bytes) => accepts(bytes as Uint8Array));
  vi.spyOn(WebAssembly, "Module").mockImplementation(function compileAccepted(bytes) {
    if (!accepts(bytes as Uint8Array)) throw new WebAssembly.CompileError("invalid opcode");
    return new Module(simd());
  });
}

describe("compileBuild", () => {
  it("takes the relaxed build where it is accepted, and the baseline for the same bits everywhere", () => {
    acceptOnly(() => true);
    expect(compileBuild(false).build).toBe("relaxed-simd");
    expect(compileBuild(true).build).toBe("simd");
  });

  it("takes the baseline where relaxed SIMD is refused", () => {
    const baseline = simd();
    acceptOnly((bytes) => baseline.every((byte, at) => byte === bytes[at]));
    const { build, module } = compileBuild(false);
    expect(build).toBe("simd");
    vi.restoreAllMocks();
    instantiate(module, new WebAssembly.Memory({ initial: INITIAL_PAGES }), ABI);
  });

  it("names the minimum versions where SIMD or WebAssembly is missing", () => {
    acceptOnly(() => false);
    expect(() => compileBuild(false)).toThrow(
      /no SIMD in WebAssembly; expected at least Chrome 93.*Safari 16\.4/,
    );
    vi.stubGlobal("WebAssembly", undefined);
    expect(() => compileBuild(true)).toThrow(/no WebAssembly; expected at least Chrome 93/);
  });

  it("does not take a policy against compiling for an engine without SIMD", () => {
    vi.spyOn(WebAssembly, "Module").mockImplementation(function refuse() {
      throw new WebAssembly.CompileError("violates the Content Security Policy");
    });
    expect(() => compileBuild(true)).toThrow(/'wasm-unsafe-eval'/);
  });
});

describe("the embedded binaries", () => {
  it.each([
    ["simd", simd],
    ["relaxed-simd", relaxedSimd],
    ["models", modelsSimd],
    ["models-relaxed", modelsRelaxedSimd],
  ])("are those of build/: %s", (build, embedded) => {
    const file = new Uint8Array(readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url)));
    expect(embedded()).toEqual(file);
    vi.stubGlobal("TextEncoder", undefined);
    expect(embedded()).toEqual(file);
  });

  it("are arrays of this realm, whichever TextEncoder there is", () => {
    const encode = runInNewContext("(text) => Uint8Array.from(text, (one) => one.charCodeAt(0))");
    vi.stubGlobal(
      "TextEncoder",
      class {
        encode = encode;
      },
    );
    expect(encode("a")).not.toBeInstanceOf(Uint8Array);
    expect(simd()).toBeInstanceOf(Uint8Array);
    instantiate(compile(simd()), new WebAssembly.Memory({ initial: INITIAL_PAGES }), ABI);
  });

  it.each([
    ["all bytes, once each", Uint8Array.from({ length: 256 }, (_, at) => at)],
    ["all bytes, some often", Uint8Array.from({ length: 2000 }, (_, at) => (at * at) >> 3)],
    ["bytes from 128 on alone", Uint8Array.from({ length: 300 }, (_, at) => (at === 0 ? 0 : 128 | at))],
  ])("may have %s", (_, binary) => {
    expect(toBytes(embeddedText(binary))).toEqual(binary);
  });

  it("tell a script that was read in another encoding from an engine without SIMD", () => {
    const text = readFileSync(new URL("../../build/simd.txt", import.meta.url));
    expect(toBytes(text.toString("utf8"))).toEqual(simd());
    const garbled = new TextDecoder("iso-2022-jp").decode(text);
    expect(() => toBytes(garbled)).toThrow(/begin the page with <meta charset="utf-8">/);
  });
});

describe("compile", () => {
  it("hands a compiled module on", () => {
    const module = compile(simd());
    expect(compile(module)).toBe(module);
  });

  it("takes a module of another realm, as Next.js's edge runtime hands over", () => {
    const bytes = simd();
    const foreign: WebAssembly.Module = runInNewContext("new WebAssembly.Module(bytes)", { bytes });
    expect(foreign).not.toBeInstanceOf(WebAssembly.Module);
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
    expect(instantiateSync(compile(foreign), { env: { memory } }).instance.exports.memory).toBe(memory);
  });

  it("says what to do where compiling at once is refused", () => {
    vi.spyOn(WebAssembly, "Module").mockImplementation(function refuse() {
      throw new RangeError("disallowed on the main thread, if the buffer size is larger than 4KB");
    });
    expect(() => compile(simd())).toThrow(/Use it in a worker, or compile lstm-wasm\/lstm\.wasm/);
  });

  it("names the policy where compiling is forbidden", () => {
    vi.spyOn(WebAssembly, "Module").mockImplementation(function refuse() {
      throw new WebAssembly.CompileError("violates the Content Security Policy");
    });
    expect(() => compile(simd())).toThrow(/'wasm-unsafe-eval'/);
  });
});

describe("instantiate", () => {
  const failing = (error: Error) => {
    const module = compile(simd());
    vi.spyOn(WebAssembly, "Instance").mockImplementation(function refuse() {
      throw error;
    });
    return () => instantiate(module, new WebAssembly.Memory({ initial: INITIAL_PAGES }), ABI);
  };

  it("names the policy where it is only applied to instances, as in WebKit", () => {
    expect(failing(new WebAssembly.CompileError("Refused to create a WebAssembly object"))).toThrow(
      /refused to compile WebAssembly\. Allow 'wasm-unsafe-eval'/,
    );
  });

  it("says so where there is no room for an instance", () => {
    const cause = new RangeError("Out of memory: Cannot allocate Wasm memory for new instance");
    expect(failing(cause)).toThrow(
      new RangeError("memory: no room for an instance of WebAssembly", { cause }),
    );
  });

  it("takes a module of other imports for another's binary", () => {
    expect(failing(new WebAssembly.LinkError("Import #0"))).toThrow(
      new TypeError(
        "options.module: expected the binary of this release of lstm-wasm, got a WebAssembly.Module",
      ),
    );
  });
});
