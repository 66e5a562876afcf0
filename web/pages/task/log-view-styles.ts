// How lines of output look.

import { css } from 'lit';

export const viewStyles = css`
  :host { display: flex; flex-direction: column; min-height: 0; }
  .lines {
    position: relative; flex: 1; min-height: 0; overflow: auto; overscroll-behavior: contain; overflow-anchor: none;
    font: 0.8125rem/1.5 var(--mono); tab-size: 8; background: var(--sunken); border: 1px solid var(--line); border-radius: var(--radius-small);
  }
  .sizer { position: relative; min-width: 100%; }
  .line { position: absolute; top: 0; left: 0; min-width: 100%; width: max-content; display: flex; white-space: pre; padding-right: var(--space-3); }
  .wrap .line { width: 100%; }
  .wrap .text { white-space: pre-wrap; overflow-wrap: anywhere; }
  .probe { position: absolute; visibility: hidden; white-space: pre; top: 0; left: 0; }
  .gutter { display: flex; gap: 1ch; flex: none; position: sticky; left: 0; z-index: 1; padding: 0 1ch 0 var(--space-2); background: var(--sunken); color: var(--ink-soft); user-select: none; }
  .seq { min-width: 4ch; text-align: right; color: inherit; }
  .seq:hover { color: var(--accent); }
  time { min-width: 9ch; text-align: right; font-variant-numeric: tabular-nums; }
  .stream { width: 3ch; color: var(--bad); font-weight: 600; }
  .text { flex: 1; min-width: 0; min-height: 1.5em; }
  .stderr > .gutter { box-shadow: inset 3px 0 var(--bad); }
  .heading { font-family: var(--font); font-weight: 600; color: var(--ink-soft); padding-left: var(--space-2); flex: 1; background: var(--quiet-wash); }
  .marked, .marked > .gutter { background: var(--accent-wash); }
  .marked .seq { color: var(--accent); font-weight: 700; }
  .partial .text { color: var(--ink-soft); }
  .more { color: var(--ink-soft); user-select: none; }
  mark { background: var(--ansi-yellow-ground); color: var(--ink); border-radius: 2px; }
  mark.current { outline: 2px solid var(--focus); font-weight: 700; }
  .bold { font-weight: 700; }
  .italic { font-style: italic; }
  .dim { color: color-mix(in srgb, var(--colour, var(--ink-soft)) 60%, var(--ink-soft)) !important; }
  .underline { text-decoration-line: underline; }
  .struck { text-decoration-line: line-through; }
  .over { text-decoration-line: overline; }
  .underline.struck { text-decoration-line: underline line-through; }
`;
