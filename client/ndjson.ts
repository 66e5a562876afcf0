// Reads a stream of JSON lines as they arrive. Bytes may be cut anywhere, also within a character.

/** Far above the longest line a runner sends. */
const MAX_LINE_CHARS = 16 * 1_048_576;

/**
 * Yields each line as a value. A last line without its line end is a cut one and is left out.
 * `touch` is called whenever bytes arrive. Cancels the stream when the reader stops early.
 * @throws whatever the stream throws; SyntaxError for a line that is not JSON.
 */
export async function* readJsonLines<T>(
  body: ReadableStream<Uint8Array>,
  touch: () => void = () => undefined,
): AsyncGenerator<T, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      touch();
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARS) throw new SyntaxError('a line of the reply is too long');
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
    }
  } finally {
    // Already closed or broken is as good as cancelled.
    await reader.cancel().catch(() => undefined);
  }
}
