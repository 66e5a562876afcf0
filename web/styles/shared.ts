// Rules that many elements share: text, links, buttons, fields, panels, tables, dialogs. Values come from the tokens in
// page.css.

import { css } from 'lit';

export const base = css`
  *, *::before, *::after { box-sizing: border-box; }
  :host { display: block; }
  :host([hidden]), [hidden] { display: none !important; }
  h1, h2, h3, p, dl, dd, ol, ul, figure { margin: 0; padding: 0; }
  ol, ul { list-style: none; }
  h1 { font-size: var(--text-title); line-height: 1.25; font-weight: 660; letter-spacing: -0.012em; overflow-wrap: anywhere; }
  h1:focus { outline: none; }
  h2 { font-size: var(--text-large); font-weight: 620; line-height: 1.3; }
  h3 { font-size: var(--text-small); font-weight: 600; color: var(--ink-soft); }
  a { color: var(--accent); text-decoration: none; }
  a:hover { text-decoration: underline; }
  /* Within a sentence a colour alone does not tell a link. */
  notice-box a:not(.button) { text-decoration: underline; }
  :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: var(--radius-small); }
  code, .mono { font-family: var(--mono); font-size: 0.92em; overflow-wrap: anywhere; }
  kbd { font: 0.75rem/1.2 var(--font); padding: 0.1rem 0.35rem; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 0.25rem; color: var(--ink-soft); background: var(--sunken); }
  .soft { color: var(--ink-soft); }
  .small { font-size: var(--text-small); }
  .number { font-variant-numeric: tabular-nums; }
  .cut { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  .panel { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); padding: var(--space-4); box-shadow: var(--shadow); min-width: 0; }
  .panel > h2:first-child, .panel > .head { margin-bottom: var(--space-3); }
  .panel.stack > h2:first-child, .panel.stack > .head { margin-bottom: 0; }
  .head { display: flex; flex-wrap: wrap; gap: var(--space-2) var(--space-3); align-items: center; justify-content: space-between; }
  .stack { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); }
  .stack.tight { gap: var(--space-2); }
  .row { display: flex; flex-wrap: wrap; gap: var(--space-3); align-items: center; }
  .row.tight { gap: var(--space-2); }
  .spread { justify-content: space-between; }
  .end { justify-content: flex-end; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

export const controls = css`
  button, .button {
    font: inherit; font-weight: 550; line-height: 1.3; cursor: pointer; display: inline-flex; align-items: center; justify-content: center; gap: var(--space-2);
    padding: 0.45rem 0.85rem; min-height: 2.375rem; border-radius: var(--radius-small);
    border: 1px solid var(--line-strong); background: var(--surface); color: var(--ink);
  }
  button:hover, .button:hover { border-color: var(--ink-soft); background: var(--sunken); text-decoration: none; }
  button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.primary:hover, .button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
  button.danger { color: var(--bad); border-color: currentcolor; }
  button.danger:hover { background: var(--bad-wash); }
  button.small, .button.small { min-height: 1.875rem; padding: 0.2rem 0.6rem; font-size: var(--text-small); }
  /* Beside text, in toolbars and rows: no border until it is pointed at. */
  button.quiet, .button.quiet { border-color: transparent; background: transparent; color: var(--ink-soft); }
  button.quiet:hover, .button.quiet:hover { background: var(--sunken); color: var(--ink); }
  button.icon, .button.icon { padding: 0; width: 2.375rem; flex: none; }
  button.icon.small { width: 1.875rem; }
  button.link { border: 0; background: none; color: var(--accent); padding: 0 var(--space-1); min-height: 1.5rem; }
  button.link:hover { text-decoration: underline; }
  button[aria-pressed='true'] { background: var(--accent-wash); border-color: var(--accent); color: var(--accent); }
  button:disabled { opacity: 0.6; cursor: default; }
  label, legend { display: block; font-weight: 550; font-size: var(--text-small); margin-bottom: var(--space-1); padding: 0; }
  fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
  input, select, textarea {
    font: inherit; width: 100%; min-height: 2.375rem; padding: 0.4rem 0.6rem; color: var(--ink); background: var(--surface);
    border: 1px solid var(--line-strong); border-radius: var(--radius-small);
  }
  input[type='checkbox'], input[type='radio'] { width: 1.1rem; height: 1.1rem; min-height: 0; padding: 0; margin: 0; flex: none; accent-color: var(--accent); }
  label.tick, .tick { display: flex; gap: var(--space-2); align-items: center; font-weight: 400; font-size: var(--text-body); margin-bottom: 0; min-height: 1.5rem; }
  textarea { font-family: var(--mono); font-size: 0.9em; resize: vertical; }
  ::placeholder { color: var(--ink-soft); opacity: 1; }
  [aria-invalid='true'] { border-color: var(--bad); }
  summary { cursor: pointer; font-weight: 550; color: var(--accent); padding: var(--space-1) 0; }
  .hint { color: var(--ink-soft); font-size: var(--text-small); margin-top: var(--space-1); }
  .fault { color: var(--bad); font-size: var(--text-small); margin-top: var(--space-1); }
  /* Small words on a ground: tags, labels. */
  .chip { display: inline-flex; align-items: center; gap: 0.3rem; padding: 0.05rem 0.5rem; border-radius: 1rem; background: var(--quiet-wash); color: var(--ink); font-size: var(--text-small); max-width: 100%; }
`;

/** A table that becomes a list of small cards where there is no room; cells carry their heading in data-label. */
export const tables = css`
  table { width: 100%; border-collapse: collapse; }
  th { text-align: left; font-size: var(--text-small); font-weight: 550; color: var(--ink-soft); padding: var(--space-2) var(--space-3); border-bottom: 1px solid var(--line); white-space: nowrap; }
  td { padding: 0.55rem var(--space-3); border-bottom: 1px solid var(--line); vertical-align: middle; overflow-wrap: anywhere; }
  tbody tr:last-child td { border-bottom: 0; }
  /* What a cell is named after breaks where it must; what is pressed does not. */
  td button, td .button { white-space: nowrap; }
  tbody tr:hover { background: color-mix(in srgb, var(--sunken) 55%, transparent); }
  th:first-child, td:first-child { padding-left: 0; }
  th:last-child, td:last-child { padding-right: 0; }
  th.right, td.right { text-align: right; }
  @media (max-width: 44rem) {
    table, tbody, tr, td { display: block; }
    thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    tr { padding: var(--space-3) 0; border-bottom: 1px solid var(--line); }
    tbody tr:last-child { border-bottom: 0; }
    td { border: 0; padding: 0.15rem 0; display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: var(--space-2); align-items: baseline; }
    td.right { text-align: left; }
    td::before { content: attr(data-label); color: var(--ink-soft); font-size: var(--text-small); }
    td.empty { display: none; }
  }
`;

export const dialogs = css`
  dialog { border: 1px solid var(--line); border-radius: var(--radius); background: var(--raised); color: var(--ink); padding: var(--space-5); box-shadow: var(--shadow-high); max-width: min(36rem, calc(100vw - 2rem)); }
  dialog::backdrop { background: var(--veil); }
`;

/** Tabs as links: each has an address. `aria-current="page"` marks the open one. */
export const tabs = css`
  .tabs { display: flex; gap: var(--space-1); border-bottom: 1px solid var(--line); overflow-x: auto; }
  .tabs a { padding: 0.55rem var(--space-3); color: var(--ink-soft); font-weight: 550; border-bottom: 2px solid transparent; margin-bottom: -1px; white-space: nowrap; }
  .tabs a:hover { color: var(--ink); text-decoration: none; }
  .tabs a[aria-current] { color: var(--ink); border-color: var(--accent); }
  @media (max-width: 30rem) { .tabs a { padding: 0.55rem var(--space-2); } }
`;
