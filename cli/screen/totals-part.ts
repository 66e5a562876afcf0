// What the cluster has, how much of it is held by tasks and how much is in use: a line with bars for each. Pure.

import { byteRate, megabytes, trim } from '../../client/words.ts';
import type { AmountsBody, TelemetryReply } from '../../shared/contracts/workers.ts';
import { bar, fitting, type Look, lineOf, type Piece, paintShare, pieceWidth, share } from './glyphs.ts';

interface Total {
  readonly name: string;
  readonly held: { readonly share: number; readonly text: string };
  readonly used: { readonly share: number; readonly text: string } | null;
}

const NAME = 9;
const WIDEST = 24;
const NARROWEST = 4;

export function totalLines({ totals, workers }: TelemetryReply, columns: number, look: Look): string[] {
  const { capacity, usage } = totals;
  const held = (of: keyof AmountsBody, text: (value: number) => string) => ({
    share: share(totals.reserved[of], capacity[of]),
    text: `${text(totals.reserved[of])} of ${text(capacity[of])} held`,
  });
  const measured = workers.filter((worker) => worker.usage !== null);
  const disks = measured.reduce((sum, { fingerprint }) => sum + (fingerprint?.storage ?? 0), 0);
  const used = (part: number, text: string) => ({ share: part, text: `${text} in use` });
  const isMeasured = usage.cpu_percent !== null;
  const all: Total[] = [
    {
      name: 'cores',
      held: held('cpu', (value) => trim(value, 2)),
      used:
        usage.cpu_percent === null ? null : used(usage.cpu_percent / 100, `${trim(usage.cpu_percent, 0)}%`),
    },
    {
      name: 'memory',
      held: held('memory', megabytes),
      used: isMeasured
        ? used(share(usage.memory_used, usage.memory_total), megabytes(usage.memory_used))
        : null,
    },
    ...(capacity.gpu > 0
      ? [
          {
            name: 'GPUs',
            held: held('gpu', String),
            used:
              usage.gpus &&
              used(usage.gpus.utilization_percent / 100, `${trim(usage.gpus.utilization_percent, 0)}%`),
          },
        ]
      : []),
    {
      name: 'storage',
      held: held('storage', megabytes),
      used: isMeasured ? used(share(usage.storage_used, disks), megabytes(usage.storage_used)) : null,
    },
  ];
  const widest = Math.max(...all.map(({ held: { text } }) => text.length));
  const lines = fitting(shapes(widest), (shape) =>
    all.every((total) => pieceWidth(shape(total, look)) <= columns),
  );
  const drawn = all.map((total) => lineOf(lines(total, look), columns));
  if (!isMeasured) return drawn;
  const network = `${byteRate(usage.network_receive_rate)} in, ${byteRate(usage.network_transmit_rate)} out`;
  return [...drawn, lineOf(['network'.padEnd(NAME), network], columns)];
}

type Shape = (total: Total, look: Look) => Piece[];

/** From the richest to the poorest: two bars, one bar, the shortest bar without measured use, text alone. */
function shapes(textWidth: number): Shape[] {
  const painted = (part: number, width: number, look: Look): Piece => ({
    text: bar(part, width, look),
    paint: paintShare(part, look),
  });
  const two =
    (width: number): Shape =>
    ({ name, held, used }, look) => [
      name.padEnd(NAME),
      painted(held.share, width, look),
      ` ${used ? held.text.padEnd(textWidth) : held.text}`,
      ...(used ? ['  ', painted(used.share, width, look), ` ${used.text}`] : []),
    ];
  const one =
    (width: number, withUse: boolean): Shape =>
    ({ name, held, used }, look) => [
      name.padEnd(NAME),
      painted(held.share, width, look),
      ` ${held.text}${used && withUse ? `, ${used.text}` : ''}`,
    ];
  const widths = Array.from({ length: WIDEST - NARROWEST + 1 }, (_, n) => WIDEST - n);
  return [
    ...widths.filter((width) => width >= 8).map(two),
    ...widths.map((width) => one(width, true)),
    ...widths.map((width) => one(width, false)),
    ({ name, held }) => [name.padEnd(NAME), held.text],
  ];
}
