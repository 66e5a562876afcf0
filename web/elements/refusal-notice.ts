// Stands where something would be that the role of whoever is signed in does not allow: says so, and why. No state of its own.

import { html, nothing, type TemplateResult } from 'lit';
import type { Deed } from '../../shared/model/rights.ts';
import type { Session } from '../data/session.ts';

/** Nothing for whoever may. */
export function refusalNotice(
  session: Session,
  deed: Deed,
  heading: string,
): TemplateResult | typeof nothing {
  const why = session.whyNot(deed);
  if (why === '') return nothing;
  return html`<notice-box kind="empty" heading=${heading}><p>${why.charAt(0).toUpperCase()}${why.slice(1)}. <a href="/account">Your account</a></p></notice-box>`;
}
