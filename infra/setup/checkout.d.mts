// Types of checkout.mjs, for its tests.

export const MINIMUM_NODE: readonly [number, number];
export function nodeFault(version: string): string | null;
export function packagesFault(root: string): string | null;
export function contractFiles(root: string): string[];
export function codeHash(root: string): string;
export function webHash(root: string): string;
