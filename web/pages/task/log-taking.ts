// Takes output along: into the clipboard what is loaded, into a file all of it.

import type { Client } from '../../../client/client.ts';
import { saveFile } from '../../data/save-file.ts';
import type { LogLine, Stream } from './log-lines.ts';
import { plainText } from './plain-text.ts';

const TYPE = 'text/plain; charset=utf-8';

/** Lines as a terminal would show them, pieces of a cut line on one line. */
export function textOfLines(lines: readonly LogLine[]): string {
  return lines
    .map(({ kind, text, more, attempt }) =>
      kind === 'attempt' ? `--- attempt ${attempt} ---\n` : `${plainText(text)}${more ? '' : '\n'}`,
    )
    .join('');
}

export interface OutputToSave {
  readonly taskId: string;
  readonly attempts: readonly number[];
  readonly stream: Stream | null;
}

/** @throws ApiError, ConnectionError */
export async function saveOutput(client: Client, { taskId, attempts, stream }: OutputToSave): Promise<void> {
  const parts = attempts.map(
    (attempt) => () => client.taskLogText(taskId, { attempt, stream: stream ?? undefined }),
  );
  const name = attempts.length === 1 ? `${taskId}-${attempts[0]}.log` : `${taskId}.log`;
  await saveFile(joined(parts, attempts), name, TYPE);
}

/** One after the other, each asked for when the one before has ended. */
function joined(
  parts: readonly (() => Promise<ReadableStream<Uint8Array>>)[],
  attempts: readonly number[],
): ReadableStream<Uint8Array> {
  let at = 0;
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  return new ReadableStream<Uint8Array>({
    async pull(out) {
      for (;;) {
        if (!reader) {
          const next = parts[at];
          if (!next) return out.close();
          reader = (await next()).getReader();
          if (parts.length > 1) out.enqueue(new TextEncoder().encode(`--- attempt ${attempts[at]} ---\n`));
          at += 1;
        }
        const { done, value } = await reader.read();
        if (!done) return out.enqueue(value);
        reader = null;
      }
    },
    cancel: (reason) => reader?.cancel(reason),
  });
}
