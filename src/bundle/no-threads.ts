/** Edge platforms have no threads, and so need no binary of them. */

export const sharing: (() => Uint8Array<ArrayBuffer>) | undefined = undefined;
