// Draws an error as a notice; the same words everywhere. No state of its own.

import { html, nothing, type TemplateResult } from 'lit';
import { errorWords } from '../data/error-words.ts';

export function errorNotice(error: Error | null, retry?: () => void): TemplateResult | typeof nothing {
  if (!error) return nothing;
  const { what, advice } = errorWords(error);
  return html`
    <notice-box kind="error" heading=${what} ?retry=${retry !== undefined} @retry=${retry}>
      ${advice ? html`<p>${advice}</p>` : nothing}
    </notice-box>
  `;
}
