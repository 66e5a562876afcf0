// One line of output as it is drawn. What a program printed is only ever text: no output can become markup.

import { html, nothing, type TemplateResult } from 'lit';
import { styleMap } from 'lit/directives/style-map.js';
import { cutPieces, type Piece, piecesOf } from './ansi-text.ts';
import type { LogLine } from './log-lines.ts';
import type { Range } from './log-search.ts';

export type Times = 'off' | 'relative' | 'absolute';

export interface RowLook {
  readonly times: Times;
  /** When its attempt began; milliseconds since the epoch. */
  readonly start: number;
  readonly href: string;
  readonly ranges: readonly Range[];
  /** Which of the ranges was stepped to, or -1. */
  readonly current: number;
}

/** What stands in a row, without its place. */
export function rowContent(line: LogLine, look: RowLook): TemplateResult {
  if (line.kind === 'attempt') return html`<span class="heading">Attempt ${line.attempt}</span>`;
  return html`<span class="gutter"><a class="seq" href=${look.href} tabindex="-1" aria-label="Line ${line.seq}">${line.seq}</a>${time(line.at, look)}<span class="stream">${
    line.kind === 'stderr' ? 'err' : nothing
  }</span></span><span class="text">${textOf(line, look)}</span>`;
}

export function textOf(
  line: Pick<LogLine, 'text' | 'carry' | 'more'>,
  { ranges, current }: Pick<RowLook, 'ranges' | 'current'>,
) {
  const pieces = piecesOf(line.text, line.carry);
  const parts =
    ranges.length === 0 ? pieces.map((piece) => ({ ...piece, range: -1 })) : cutPieces(pieces, ranges);
  return html`${parts.map((part) => pieceContent(part, part.range, current))}${line.more ? html`<span class="more" title="The line goes on below">↵</span>` : nothing}`;
}

function pieceContent({ text, colour, ground, styles }: Piece, range: number, current: number) {
  if (range >= 0) return html`<mark class=${range === current ? 'current' : ''}>${text}</mark>`;
  if (!colour && !ground && styles.length === 0) return text;
  return html`<span class=${styles.join(' ')} style=${styleMap({ '--colour': colour, background: ground, color: colour })}>${text}</span>`;
}

function time(at: number, { times, start }: RowLook) {
  if (times === 'off') return nothing;
  const date = new Date(at);
  if (times === 'absolute')
    return html`<time datetime=${date.toISOString()} title=${date.toLocaleString()}>${clock(date)}</time>`;
  return html`<time datetime=${date.toISOString()} title=${date.toLocaleString()}>${sinceStart(at - start)}</time>`;
}

/** `0.042`, `12.345`, `3:07.120`, `1:03:07.120`. */
function sinceStart(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const seconds = ((whole % 60_000) / 1_000).toFixed(3);
  const minutes = Math.floor(whole / 60_000) % 60;
  const hours = Math.floor(whole / 3_600_000);
  if (hours > 0) return `${hours}:${String(minutes).padStart(2, '0')}:${seconds.padStart(6, '0')}`;
  return minutes > 0 ? `${minutes}:${seconds.padStart(6, '0')}` : seconds;
}

function clock(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
