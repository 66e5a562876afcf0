// Finds the first field that is marked as wrong, also inside of other elements, and puts the focus there.

import type { LitElement } from 'lit';

export async function focusFirstFault(page: LitElement): Promise<void> {
  await page.updateComplete;
  const parts = [...page.renderRoot.querySelectorAll('*')].filter((element) => 'updateComplete' in element);
  await Promise.all(parts.map((part) => (part as LitElement).updateComplete));
  firstFault(page.renderRoot)?.focus();
}

function firstFault(root: ParentNode): HTMLElement | null {
  for (const element of root.querySelectorAll<HTMLElement>('*')) {
    if (element.getAttribute('aria-invalid') === 'true') return element;
    const inside = element.shadowRoot && firstFault(element.shadowRoot);
    if (inside) return inside;
  }
  return null;
}
