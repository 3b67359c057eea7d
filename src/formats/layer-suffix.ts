/** PyTorch's suffix for the weights of one layer and direction: `_l0`, `_l1_reverse`. */
export function layerSuffix(layer: number, reverse: boolean): string {
  return `_l${layer}${reverse ? "_reverse" : ""}`;
}
