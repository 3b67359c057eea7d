/** Parts of tensors, the largest elements and joins, against nested arrays. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argmax, concat, Tensor, topk } from "../../../src/index.js";

/** Few different numbers, so that many are equal. */
const element = fc.constantFrom(
  0,
  -0,
  1,
  2,
  3,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
);
const shape = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
const tensor = shape.chain((sizes) => {
  const size = sizes.reduce((product, length) => product * length, 1);
  return fc
    .array(element, { minLength: size, maxLength: size })
    .map((data) => new Tensor(Float32Array.from(data), sizes));
});
/** A tensor, one of its dimensions, and the same counted from either end. */
const along = tensor.chain((x) =>
  fc.tuple(
    fc.constant(x),
    fc.nat({ max: x.shape.length - 1 }).chain((axis) => fc.constantFrom(axis, axis - x.shape.length)),
  ),
);
const axisOf = (x: Tensor, dim: number) => (dim < 0 ? dim + x.shape.length : dim);

type Nested = number | Nested[];
/** What `change` makes of each array at depth `axis`. */
const mapAt = (nested: Nested, axis: number, change: (list: Nested[]) => Nested): Nested =>
  axis === 0 ? change(nested as Nested[]) : (nested as Nested[]).map((part) => mapAt(part, axis - 1, change));

/** A tensor of what `choose` makes of each row of numbers along an axis. */
function rows(x: Tensor, axis: number, choose: (row: number[]) => number[]): number[] {
  const inner = x.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = x.shape[axis]!;
  const found: number[] = [];
  const outer = x.data.length / size / inner || 0;
  for (let block = 0; block < outer; block++) {
    const lists = Array.from({ length: inner }, (_, column) =>
      choose(Array.from({ length: size }, (__, at) => x.data[(block * size + at) * inner + column]!)),
    );
    for (let at = 0; at < (lists[0]?.length ?? 0); at++) found.push(...lists.map((list) => list[at]!));
  }
  return found;
}

const sorted = (row: number[]): number[] =>
  row
    .map((_, at) => at)
    .sort((a, b) => {
      const [x, y] = [row[a]!, row[b]!];
      if (Number.isNaN(x) || Number.isNaN(y))
        return Number(Number.isNaN(y)) - Number(Number.isNaN(x)) || a - b;
      return x < y ? 1 : x > y ? -1 : a - b;
    });

describe("parts of a tensor", () => {
  it("select and slice are those of nested arrays", () => {
    fc.assert(
      fc.property(
        along,
        fc.integer({ min: -7, max: 7 }),
        fc.option(fc.integer({ min: -7, max: 7 })),
        ([x, dim], from, to) => {
          const axis = axisOf(x, dim);
          const size = x.shape[axis]!;
          const end = to ?? undefined;
          const slice = x.slice(dim, from, end);
          expect(slice.toArray()).toEqual(
            mapAt(x.toArray() as Nested, axis, (list) => list.slice(from, end)),
          );
          expect(slice.shape[axis]).toBe(new Array(size).slice(from, end).length);
          if (from >= -size && from < size) {
            expect(x.select(dim, from).toArray()).toEqual(
              mapAt(x.toArray() as Nested, axis, (list) => list.at(from)!),
            );
          } else expect(() => x.select(dim, from)).toThrow("index: expected an integer");
        },
      ),
    );
  });

  it("at finds every element, and reshape keeps their order", () => {
    fc.assert(
      fc.property(tensor, (x) => {
        const flat = x.reshape([-1]);
        expect(flat.data).toEqual(x.data);
        expect(flat.reshape(x.shape)).toEqual(x);
        x.data.forEach((number, position) => {
          const indices: number[] = [];
          let rest = position;
          for (const size of [...x.shape].reverse()) {
            indices.unshift(position % 2 === 0 ? rest % size : (rest % size) - size);
            rest = Math.floor(rest / size);
          }
          expect(x.at(...indices)).toBe(number);
        });
      }),
    );
  });

  it("transpose finds every element where its indices have changed places", () => {
    fc.assert(
      fc.property(along, fc.nat(), ([x, dim], draw) => {
        const [first, second] = [axisOf(x, dim), draw % x.shape.length];
        const turned = x.transpose(dim, second);
        const swap = <Item>(list: readonly Item[]) =>
          list.map((item, at) => (at === first ? list[second]! : at === second ? list[first]! : item));
        expect(turned.shape).toEqual(swap(x.shape));
        x.data.forEach((number, position) => {
          const indices: number[] = [];
          let rest = position;
          for (const size of [...x.shape].reverse()) {
            indices.unshift(rest % size);
            rest = Math.floor(rest / size);
          }
          expect(turned.at(...swap(indices))).toBe(number);
        });
      }),
    );
  });

  it("concat puts slices together again", () => {
    fc.assert(
      fc.property(along, fc.nat({ max: 5 }), fc.nat({ max: 5 }), ([x, dim], a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const parts = [x.slice(dim, 0, first), x.slice(dim, first, second), x.slice(dim, second)];
        expect(concat(parts, dim)).toEqual(x);
      }),
    );
  });
});

describe("the largest", () => {
  it("are the first of a sorted row", () => {
    fc.assert(
      fc.property(along, fc.nat({ max: 5 }), ([x, dim], most) => {
        const axis = axisOf(x, dim);
        const k = Math.min(most, x.shape[axis]!);
        const [values, indices] = topk(x, k, dim);
        expect(Array.from(indices.data)).toEqual(rows(x, axis, (row) => sorted(row).slice(0, k)));
        expect(Array.from(values.data)).toEqual(
          rows(x, axis, (row) =>
            sorted(row)
              .slice(0, k)
              .map((at) => row[at]!),
          ),
        );
        if (x.shape[axis] === 0) return;
        expect(Array.from(argmax(x, dim).data)).toEqual(rows(x, axis, (row) => sorted(row).slice(0, 1)));
        if (x.data.length > 0) expect(argmax(x).at()).toBe(sorted(Array.from(x.data))[0]);
      }),
      { numRuns: 300 },
    );
  });

  it("of a long row are the first of it sorted, whatever its order", () => {
    const long = fc.array(element, { minLength: 50, maxLength: 400 });
    fc.assert(
      fc.property(long, fc.nat({ max: 60 }), fc.constantFrom(1, -1, 0), (data, most, order) => {
        const row = order === 0 ? data : data.sort((a, b) => order * (a - b));
        const k = Math.min(most, row.length);
        const [values, indices] = topk({ data: row, shape: [row.length] }, k);
        expect(Array.from(indices.data)).toEqual(sorted(row).slice(0, k));
        expect(values.shape).toEqual([k]);
      }),
    );
  });
});
