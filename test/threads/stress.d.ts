interface Counts {
  readonly pools: number;
  readonly modules: number;
  readonly calls: number;
  readonly parts: number;
}

export function stress(
  api: object,
  options: { seconds: number; seed: number; say?: (text: string) => void },
): Promise<Counts>;
