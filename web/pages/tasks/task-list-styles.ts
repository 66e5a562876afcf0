// How the rows of the long list are laid out: aligned columns where there is room, cards of two lines where there is not.

import { css, unsafeCSS } from 'lit';

/** One height for all rows, so that where each stands needs no measuring. */
export const ROW_PX = 44;
export const NARROW_ROW_PX = 68;
export const NARROW = '(max-width: 60rem)';

export const listStyles = css`
  .scroller {
    overflow: auto; max-height: max(20rem, calc(100dvh - 19rem)); overscroll-behavior-y: auto; position: relative;
    contain: content; border-top: 1px solid var(--line);
  }
  .scroller:focus { outline: none; }
  .scroller:focus-visible { box-shadow: inset 0 0 0 2px var(--focus); }
  .line {
    display: grid; align-items: center; column-gap: var(--space-3); padding: 0 var(--space-4);
    grid-template-columns: 1.5rem minmax(13rem, 3fr) 7.5rem minmax(6rem, 1.6fr) minmax(3.5rem, 0.7fr) minmax(5.25rem, 0.9fr) 2rem 3.25rem 6rem 2rem;
  }
  .line.own { grid-template-columns: 1.5rem minmax(13rem, 3fr) 7.5rem minmax(6rem, 1.6fr) minmax(5.25rem, 0.9fr) 2rem 3.25rem 6rem 2rem; }
  .top { position: sticky; top: 0; z-index: 2; background: var(--surface); }
  .heads { border-bottom: 1px solid var(--line); height: 2.25rem; }
  .heads [role='columnheader'] { font-size: var(--text-small); font-weight: 550; color: var(--ink-soft); min-width: 0; }
  .heads button {
    font: inherit; color: inherit; border: 0; background: none; padding: 0; min-height: 1.75rem; justify-content: flex-start; gap: 0.2rem; white-space: nowrap;
  }
  .heads button:hover { color: var(--ink); background: none; }
  .heads .right button { justify-content: flex-end; width: 100%; }
  .heads [aria-sort]:not([aria-sort='none']) { color: var(--ink); }
  .body { position: relative; }
  .task { position: absolute; top: 0; left: 0; right: 0; height: ${ROW_PX}px; border-bottom: 1px solid var(--line); contain: strict; }
  .task:hover { background: color-mix(in srgb, var(--sunken) 55%, transparent); }
  .task[aria-selected='true'] { background: var(--accent-wash); }
  .scroller:focus-visible .task.active { box-shadow: inset 3px 0 0 var(--focus), inset 0 0 0 1px var(--focus); }
  .task > * { min-width: 0; }
  .pick { display: grid; place-items: center; width: 1.75rem; height: 1.75rem; margin: 0 0 0 -0.125rem; }
  .title { display: flex; align-items: baseline; gap: var(--space-2); }
  .title a { font-weight: 550; flex: 0 1 auto; }
  .title a.id { font-family: var(--mono); font-weight: 400; font-size: 0.8rem; }
  /* The name is what people look for: the tag gives way first. */
  .title .tag { flex: 0 1000 auto; }
  .state { display: flex; align-items: center; gap: var(--space-2); }
  .right { text-align: right; justify-content: flex-end; }
  .actions { display: flex; justify-content: flex-end; opacity: 0; }
  .task:hover .actions, .task.active .actions, .actions:focus-within { opacity: 1; }
  @media (hover: none) { .actions { opacity: 1; } }
  @media ${unsafeCSS(NARROW)} {
    .scroller { max-height: max(20rem, calc(100dvh - 11rem)); }
    .top { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    .line.task, .line.task.own {
      height: ${NARROW_ROW_PX}px; padding: 0 var(--space-3); column-gap: var(--space-2); align-content: center; row-gap: 0.15rem;
      grid-template-columns: 1.75rem minmax(0, 1fr) auto 2rem;
      grid-template-areas: 'pick title state actions' 'pick image when actions';
    }
    .pick { grid-area: pick; }
    .title { grid-area: title; }
    .state { grid-area: state; justify-content: flex-end; }
    .image { grid-area: image; font-size: var(--text-small); }
    .when { grid-area: when; }
    .actions { grid-area: actions; }
    .user, .worker, .priority, .ran, .state .why, .title .tag { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  }
`;
