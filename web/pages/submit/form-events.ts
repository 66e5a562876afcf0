// What the parts of the form tell the page: that something was changed.

import type { FormState } from './form-state.ts';

export class EditEvent extends Event {
  static readonly type = 'edit';
  readonly change: Partial<FormState>;

  constructor(change: Partial<FormState>) {
    super(EditEvent.type);
    this.change = change;
  }
}

/** What was typed or chosen in a field of its own. */
export class ValueEvent extends Event {
  static readonly type = 'value';
  readonly value: string;

  constructor(value: string) {
    super(ValueEvent.type);
    this.value = value;
  }
}
