/** The choice of the binary, and the errors of engines that cannot run it. */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { instantiateSync } from "@assemblyscript/loader";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ABI, INITIAL_PAGES } from "../../build/abi.js";
import { compileBuild, instantiate } from "../../src/bundle/binaries.js";
import { compile } from "../../src/bundle/compile.js";
import { relaxedSimd, simd } from "../../src/bundle/embedded.js";
import { modelsRelaxedSimd, modelsSimd } from "../../src/bundle/embedded-models.js";
import { unpack } from "../../src/bundle/unpack.js";

const { packedText } = (await import(new URL("../../src/build/pack.js", import.meta.url).href)) as {
  packedText(binaries: readonly Uint8Array[]): string;
};

/** Above what the unpacker has, which every engine with WebAssembly takes. */
const SMALLEST_BUILD = 1000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** An engine that takes what `accepts` takes. */
function acceptOnly(accepts: (bytes: Uint8Array) => boolean): void {
  const { Module } = WebAssembly;
  const any = compile(simd());
  vi.spyOn(WebAssembly, "validate").mockImplementation((bytes) => accepts(bytes as Uint8Array));
  vi.spyOn(WebAssembly, "Module").mockImplementation(function compileAccepted(bytes) {
    if ((bytes as Uint8Array).length < SMALLEST_BUILD) return new Module(bytes);
    if (!accepts(bytes as Uint8Array)) throw new WebAssembly.CompileError("invalid opcode");
    return any;
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

  it.each([
    ["all bytes, once each", Uint8Array.from({ length: 256 }, (_, at) => at)],
    ["all bytes, some often", Uint8Array.from({ length: 2000 }, (_, at) => (at * at) >> 3)],
    ["one byte alone, for long", new Uint8Array(600).fill(255)],
    ["noise, which does not become smaller", noise(3000)],
    ["a byte", Uint8Array.of(7)],
  ])("may have %s", (_, binary) => {
    expect(unpack(packedText([binary]), 0)).toEqual(binary);
  });

  it("are unpacked one by one, where a text has several", () => {
    const binaries = [noise(300), noise(300), Uint8Array.of(1), noise(700).fill(3, 100, 600)];
    const text = packedText(binaries);
    for (const [which, binary] of binaries.entries()) expect(unpack(text, which)).toEqual(binary);
    expect(text.length).toBeLessThan(300 * 1.5 + 200 * 1.5 + 100);
  });

  it("are characters that no literal escapes, and that no encoding of pages changes", () => {
    const text = packedText([noise(3000)]);
    expect(text).toMatch(/^3000 [=-[\]-}]+$/);
    const decode = (encoding: string) => new TextDecoder(encoding).decode(Buffer.from(text));
    for (const encoding of ["utf-8", "windows-1252", "shift_jis", "iso-2022-jp", "gb18030", "euc-kr"])
      expect(decode(encoding)).toBe(text);
  });
});

/** The same bytes every time. */
function noise(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 20;
  });
}

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

  it("names the policy where it forbids what unpacks, on instances as in WebKit too", () => {
    const refuse = vi.fn(function refuse() {
      throw new WebAssembly.CompileError("violates the Content Security Policy");
    });
    vi.spyOn(WebAssembly, "Instance").mockImplementation(refuse);
    expect(() => compileBuild(true)).toThrow(/'wasm-unsafe-eval'/);
    expect(refuse).toHaveBeenCalledTimes(1);
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
