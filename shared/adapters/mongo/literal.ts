// Text that people type, as a pattern of MongoDB: never more than that very text.

/** A pattern that matches `text` and nothing else. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
