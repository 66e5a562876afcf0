// What a combo box offers for what is typed. Pure.

export interface ComboOption {
  readonly value: string;
  /** A few words beside it. */
  readonly hint: string;
}

/** More than that nobody reads; typing narrows it. */
const OPTIONS_SHOWN = 50;

/** Those that begin with it before those that hold it, each in the order given. */
export function matchingOptions(options: readonly ComboOption[], typed: string): ComboOption[] {
  const wanted = typed.trim().toLowerCase();
  const begins = options.filter(({ value }) => value.toLowerCase().startsWith(wanted));
  const holds = options.filter(({ value }) => value.toLowerCase().indexOf(wanted) > 0);
  return (wanted === '' ? [...options] : [...begins, ...holds]).slice(0, OPTIONS_SHOWN);
}
