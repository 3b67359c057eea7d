/** What an HDF5 file may cost: work grows in proportion to it. Counted, not timed. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { type Hdf5Dataset, type Hdf5Group, openHdf5 } from "../../src/formats/hdf5/index.js";
import {
  ascii,
  continuation,
  hardLink,
  hdf5,
  header,
  little,
  message,
  SCALAR,
  signed,
  softLink,
} from "../support/hdf5-writer.js";
import { expectLinear } from "../support/work.js";

const many = <Item>(count: number, make: (at: number) => Item) =>
  Array.from({ length: count }, (_, at) => make(at));

/** Asks for all that the root has, and reads the data sets. */
function readAll(bytes: Uint8Array): number {
  const root = openHdf5(bytes, "test");
  let sum = 0;
  for (const name of root.names()) {
    const object = root.get(name);
    if (object?.kind === "dataset") sum += Number(object.read().data[0]);
    else object?.attributeNames();
  }
  return sum;
}

describe("HDF5", () => {
  it("reads many links to one object with many messages in proportion", async () => {
    const make = (count: number) =>
      hdf5((add) => {
        const set = add(header(...SCALAR, ...many(count, () => message(0, []))));
        return header(...many(count, (at) => hardLink(`link${at}`, set)));
      });
    expect(readAll(make(10))).toBe(10);
    await expectLinear(500, (count) => {
      const bytes = make(count);
      return () => readAll(bytes);
    });
  });

  it("refuses many headers that go on in one block", () => {
    const make = (count: number) =>
      hdf5((add) => {
        const block = signed([...ascii("OCHK"), ...many(4000, () => message(0, [])).flat()]);
        const next = continuation(add(block), block.length);
        return header(...many(count, (at) => hardLink(`link${at}`, add(header(...SCALAR, next)))));
      });
    expect(readAll(make(3))).toBe(3);
    expect(() => readAll(make(1000))).toThrow(
      new FormatError("test: HDF5: the file's parts overlap or form a circle"),
    );
  });

  it("refuses soft links that lead through ever more of them, and long ones", () => {
    const root = openHdf5(
      hdf5((add) => {
        const set = add(header(...SCALAR));
        const doubling = many(30, (at) => softLink(`s${at}`, `s${at + 1}/../s${at + 1}`));
        return header(
          hardLink("set", set),
          softLink("near", "./set"),
          softLink("far", `${"./".repeat(3000)}set`),
          softLink("around", "/around/around"),
          ...doubling,
        );
      }),
      "test",
    );
    expect((root.get("near") as Hdf5Dataset).read().data).toEqual(new Float32Array([1]));
    for (const name of ["far", "around"]) {
      expect(() => root.get(name)).toThrow(new FormatError(`test: /${name}: its soft links do not end`));
    }
    expect(root.get("s0")).toBeUndefined();
  });

  it("reads objects that hold each other", () => {
    const root = openHdf5(
      hdf5((add) => {
        // The two headers are of one size, so that each knows where the other will be.
        const bytes = header(hardLink("other", 0)).length;
        add(header(hardLink("other", 48 + bytes)));
        add(header(hardLink("other", 48)));
        return header(hardLink("first", 48));
      }),
      "test",
    );
    const first = root.get("first") as Hdf5Group;
    expect(first.get("other/other/other/other")!.address).toBe(first.address);
    expect(first.get("other")!.address).not.toBe(first.address);
    expect(() => first.get("other/".repeat(500))).not.toThrow();
  });

  it("refuses string heaps that lie in each other", () => {
    // Each heap begins 16 bytes after the one before and holds all that follow.
    const count = 2000;
    const heaps = many(count, (at) => [
      ...ascii("GCOL"),
      1,
      0,
      0,
      0,
      ...little(16 * (count - at) + 16),
    ]).flat();
    const bytes = hdf5((add) => {
      const start = add([...heaps, ...little(0, 16)]);
      const strings = many(count, (at) => [
        ...little(1, 4),
        ...little(start + 16 * at),
        ...little(1, 4),
      ]).flat();
      const type = [0x19, 1, 0, 0, ...little(16, 4), 0x13, 0, 0, 0, ...little(1, 4)];
      const space = [2, 1, 0, 1, ...little(count)];
      const name = [...ascii("text"), 0];
      const sizes = [name, type, space].flatMap((part) => little(part.length, 2));
      return header(message(12, [3, 0, ...sizes, 0, ...name, ...type, ...space, ...strings]));
    });
    expect(() => openHdf5(bytes, "test").attribute("text")).toThrow(FormatError);
  });
});
