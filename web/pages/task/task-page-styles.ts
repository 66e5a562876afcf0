// The looks of a task's page.

import { css } from 'lit';

export const taskPageStyles = css`
  :host { container-type: inline-size; }
  header { display: flex; gap: var(--space-3) var(--space-5); align-items: start; justify-content: space-between; }
  .title { min-width: 0; flex: 1 1 auto; }
  .acts { flex: none; }
  @container (max-width: 44rem) {
    header { flex-wrap: wrap; }
    .title { flex-basis: 100%; }
    .acts { flex: 0 1 auto; gap: var(--space-2); }
    .acts > :not(.icon) svg-icon { display: none; }
    .acts button:not(.icon), .acts .button { min-height: 2rem; padding: 0.25rem 0.6rem; font-size: var(--text-small); }
  }
  .about { gap: var(--space-1) var(--space-3); margin-top: var(--space-1); }
  .about > * { min-width: 0; max-width: 100%; }
  .image { max-width: min(100%, 32rem); }
  .id { display: inline-flex; align-items: center; gap: var(--space-1); max-width: 100%; }
  .id code { min-width: 0; }
  .message { padding: var(--space-3); border-radius: var(--radius-small); background: var(--quiet-wash); overflow-wrap: anywhere; white-space: pre-line; }
  .message.failed { background: var(--bad-wash); }
  .message.leaving { background: var(--queued-wash); }
  .tabs a { display: inline-flex; gap: var(--space-2); align-items: center; }
  .tabs .count { font-size: var(--text-small); font-weight: 400; color: var(--ink-soft); }
  /* High enough that the page does not jump when a short view takes the place of a long one. */
  .views { display: grid; gap: var(--space-4); grid-template-columns: minmax(0, 1fr); align-items: start; min-height: 60vh; }
  .beside { display: none; }
  @container (min-width: 58rem) {
    .views.output { grid-template-columns: minmax(0, 1fr) 19rem; }
    .views.output .beside { display: block; }
  }
`;
