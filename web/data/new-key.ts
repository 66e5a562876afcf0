// Makes keys under which a request may be sent again and does nothing twice.

const BYTES = 16;

/** `crypto.randomUUID` is there on https and localhost only; dashboards are often neither. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(BYTES)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
