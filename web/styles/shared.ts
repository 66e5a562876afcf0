// Rules that many elements share: text, links, buttons, fields, panels, tables. Values come from the tokens in page.css.

import { css } from 'lit';

export const base = css`
  *, *::before, *::after { box-sizing: border-box; }
  :host { display: block; }
  :host([hidden]), [hidden] { display: none !important; }
  h1, h2, h3, p, dl, dd, ol, ul { margin: 0; padding: 0; }
  ol, ul { list-style: none; }
  h1 { font-size: var(--text-title); line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
  h1:focus { outline: none; }
  h2 { font-size: var(--text-large); font-weight: 620; line-height: 1.3; }
  a { color: var(--accent); text-decoration: none; }
  a:hover { text-decoration: underline; }
  :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: var(--radius-small); }
  code, .mono { font-family: var(--mono); font-size: 0.92em; overflow-wrap: anywhere; }
  .soft { color: var(--ink-soft); }
  .small { font-size: var(--text-small); }
  .number { font-variant-numeric: tabular-nums; }
  .panel { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); padding: var(--space-4); box-shadow: var(--shadow); }
  .stack { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); }
  .row { display: flex; flex-wrap: wrap; gap: var(--space-3); align-items: center; }
  .spread { justify-content: space-between; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

export const controls = css`
  button, .button {
    font: inherit; font-weight: 550; line-height: 1.3; cursor: pointer; display: inline-block;
    padding: 0.5rem 0.9rem; min-height: 2.5rem; border-radius: var(--radius-small);
    border: 1px solid var(--line-strong); background: var(--surface); color: var(--ink);
  }
  button:hover, .button:hover { border-color: var(--ink-soft); background: var(--sunken); text-decoration: none; }
  button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.primary:hover, .button.primary:hover { background: var(--accent-strong); border-color: var(--accent-strong); }
  button.danger { color: var(--bad); border-color: currentcolor; }
  button.link { border: 0; background: none; color: var(--accent); padding: 0 var(--space-1); }
  button:disabled { opacity: 0.6; cursor: default; }
  label, legend { display: block; font-weight: 550; font-size: var(--text-small); margin-bottom: var(--space-1); }
  input, select, textarea {
    font: inherit; width: 100%; min-height: 2.5rem; padding: 0.45rem 0.6rem; color: var(--ink); background: var(--surface);
    border: 1px solid var(--line-strong); border-radius: var(--radius-small);
  }
  textarea { font-family: var(--mono); font-size: 0.9em; resize: vertical; }
  ::placeholder { color: var(--ink-soft); opacity: 1; }
  [aria-invalid='true'] { border-color: var(--bad); }
  .hint { color: var(--ink-soft); font-size: var(--text-small); margin-top: var(--space-1); }
  .fault { color: var(--bad); font-size: var(--text-small); margin-top: var(--space-1); }
`;

/** A table that becomes a list of small cards where there is no room; cells carry their heading in data-label. */
export const tables = css`
  table { width: 100%; border-collapse: collapse; }
  th { text-align: left; font-size: var(--text-small); font-weight: 550; color: var(--ink-soft); padding: var(--space-2) var(--space-3); border-bottom: 1px solid var(--line); white-space: nowrap; }
  td { padding: 0.6rem var(--space-3); border-bottom: 1px solid var(--line); vertical-align: middle; overflow-wrap: anywhere; }
  tbody tr:last-child td { border-bottom: 0; }
  th:first-child, td:first-child { padding-left: 0; }
  th:last-child, td:last-child { padding-right: 0; }
  @media (max-width: 44rem) {
    table, tbody, tr, td { display: block; }
    thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    tr { padding: var(--space-3) 0; border-bottom: 1px solid var(--line); }
    tbody tr:last-child { border-bottom: 0; }
    td { border: 0; padding: 0.15rem 0; display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: var(--space-2); align-items: center; }
    td::before { content: attr(data-label); color: var(--ink-soft); font-size: var(--text-small); }
    td.empty { display: none; }
  }
`;
