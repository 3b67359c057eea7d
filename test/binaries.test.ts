/** The choice of the binary, and the errors of engines that cannot run it. */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { instantiateSync } from "@assemblyscript/loader";
import { afterEach, describe, expect, it, vi } from "vitest";
import { chooseBinary, compile, instantiate } from "../src/wasm/binaries.js";
import { relaxedSimd, simd, toBytes } from "../src/wasm/embedded.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("chooseBinary", () => {
  it("takes the relaxed build where it is accepted, and the baseline for the same bits everywhere", () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(true);
    expect(chooseBinary(false).build).toBe("relaxed-simd");
    expect(chooseBinary(true).build).toBe("simd");
  });

  it("takes the baseline where relaxed SIMD is refused", () => {
    const baseline = chooseBinary(true).binary as Uint8Array;
    vi.spyOn(WebAssembly, "validate").mockImplementation((bytes) =>
      baseline.every((byte, at) => byte === (bytes as Uint8Array)[at]),
    );
    expect(chooseBinary(false)).toEqual({ build: "simd", binary: baseline });
  });

  it("names the minimum versions where SIMD or WebAssembly is missing", () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    expect(() => chooseBinary(false)).toThrow(
      /no SIMD in WebAssembly; expected at least Chrome 93.*Safari 16\.4/,
    );
    vi.stubGlobal("WebAssembly", undefined);
    expect(() => chooseBinary(true)).toThrow(/no WebAssembly; expected at least Chrome 93/);
  });
});

describe("the embedded binaries", () => {
  it.each(["simd", "relaxed-simd"])("are those of build/: %s", (build) => {
    const file = new Uint8Array(readFileSync(new URL(`../build/${build}.wasm`, import.meta.url)));
    const embedded = () => (build === "simd" ? simd() : relaxedSimd());
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
    expect(instantiate(simd()).memory).toBeDefined();
  });

  it("tell a script that was read in another encoding from an engine without SIMD", () => {
    const text = readFileSync(new URL("../build/simd.txt", import.meta.url));
    expect(toBytes(text.toString("utf8"))).toEqual(simd());
    const garbled = new TextDecoder("iso-2022-jp").decode(text);
    expect(() => toBytes(garbled)).toThrow(/begin the page with <meta charset="utf-8">/);
  });
});

describe("compile", () => {
  it("hands a compiled module on", () => {
    const module = compile(chooseBinary(true).binary);
    expect(compile(module)).toBe(module);
  });

  it("takes a module of another realm, as Next.js's edge runtime hands over", () => {
    const bytes = chooseBinary(true).binary;
    const foreign: WebAssembly.Module = runInNewContext("new WebAssembly.Module(bytes)", { bytes });
    expect(foreign).not.toBeInstanceOf(WebAssembly.Module);
    const { exports } = instantiateSync(compile(foreign)).instance;
    expect(exports.memory).toBeDefined();
  });

  it("says what to do where compiling at once is refused", () => {
    const { binary } = chooseBinary(true);
    vi.spyOn(WebAssembly, "Module").mockImplementation(function refuse() {
      throw new RangeError("disallowed on the main thread, if the buffer size is larger than 4KB");
    });
    expect(() => compile(binary)).toThrow(/Use it in a worker, or compile lstm-wasm\/lstm\.wasm/);
  });

  it("names the policy where compiling is forbidden", () => {
    const { binary } = chooseBinary(true);
    vi.spyOn(WebAssembly, "Module").mockImplementation(function refuse() {
      throw new WebAssembly.CompileError("violates the Content Security Policy");
    });
    expect(() => compile(binary)).toThrow(/'wasm-unsafe-eval'/);
  });
});

describe("instantiate", () => {
  const failing = (error: Error) => {
    const { binary } = chooseBinary(true);
    vi.spyOn(WebAssembly, "Instance").mockImplementation(function refuse() {
      throw error;
    });
    return () => instantiate(binary);
  };

  it("names the policy where it is only applied to instances, as in WebKit", () => {
    expect(failing(new WebAssembly.CompileError("Refused to create a WebAssembly object"))).toThrow(
      /refused to compile WebAssembly\. Allow 'wasm-unsafe-eval'/,
    );
  });

  it("hands any other error on", () => {
    const error = new RangeError("out of memory");
    expect(failing(error)).toThrow(error);
  });
});
