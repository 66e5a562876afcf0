// Gives elements their names. Naming one twice is no fault: pages share elements, and each brings all it draws with.

export type Elements = Readonly<Record<string, CustomElementConstructor>>;

export function define(elements: Elements): void {
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}
