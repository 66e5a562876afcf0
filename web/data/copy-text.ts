// Puts text on the clipboard. Clusters are often reached over plain HTTP by name, where browsers hide their clipboard
// from pages: there a selection is copied the old way.

/** @param near a node of the open page or dialog; what is outside of an open dialog cannot be selected
 * @throws Error when the browser does not let it */
export async function copyText(text: string, near: Element = document.body): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  const root = near.getRootNode();
  (near.closest('dialog') ?? (root instanceof ShadowRoot ? root : document.body)).append(area);
  const before = root instanceof ShadowRoot ? root.activeElement : document.activeElement;
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  if (!isDone)
    throw new Error('The browser does not let this page copy. Select the text and copy it yourself.');
}
