// How the form lies on the page: one column, or the verdict beside it where there is room.

import { css } from 'lit';

export const pageStyles = css`
  form { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); align-items: start; }
  .parts { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); }
  aside { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); }
  section.panel, details.panel > div { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); }
  section.panel > h2:first-child { margin-bottom: 0; }
  details.panel { padding: 0; }
  details.panel > summary { padding: var(--space-3) var(--space-4); display: flex; flex-wrap: wrap; gap: 0 var(--space-3); align-items: baseline; color: var(--ink); }
  details.panel > summary::before { content: '▸' / ''; color: var(--ink-soft); }
  details.panel[open] > summary::before { content: '▾' / ''; }
  details.panel > summary h2 { display: inline; }
  details.panel > summary .soft { font-weight: 400; overflow-wrap: anywhere; min-width: 0; }
  details.panel > div { padding: var(--space-1) var(--space-4) var(--space-4); }
  .send { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: var(--space-2) var(--space-3); align-items: end; }
  .send .fault { grid-column: 1 / -1; margin: 0; }
  .send button { width: 100%; }
  .note { padding: var(--space-2) var(--space-3); border-radius: var(--radius-small); background: var(--accent-wash); overflow-wrap: anywhere; }
  .note a { text-decoration: underline; }
  .note .asked { color: var(--queued); font-weight: 550; }
  @media (min-width: 72rem) {
    form { grid-template-columns: minmax(0, 1fr) 23rem; gap: var(--space-5); }
    aside { position: sticky; top: var(--space-4); max-height: calc(100dvh - 2 * var(--space-4)); overflow-y: auto; padding: 2px; margin: -2px; }
  }
`;
