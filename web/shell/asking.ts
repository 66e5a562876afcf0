// Asks the user before something is done that cannot be undone. One dialog for the whole page, drawn by the frame;
// whoever asks gets the answer as a promise.

import type { LitElement, TemplateResult } from 'lit';

export interface Question {
  readonly heading: string;
  readonly text: string | TemplateResult;
  /** What the button says that goes on: a verb. */
  readonly confirm: string;
  /** What the other says. */
  readonly keep?: string;
  readonly danger?: boolean;
  /** A choice beside it, e.g. "Kill it at once". */
  readonly tick?: string;
}

export interface Answer {
  readonly ticked: boolean;
}

export class AskEvent extends Event {
  static readonly type = 'cloudai-ask';
  readonly question: Question;
  readonly answer: (answer: Answer | null) => void;

  constructor(question: Question, answer: (answer: Answer | null) => void) {
    super(AskEvent.type, { bubbles: true, composed: true });
    this.question = question;
    this.answer = answer;
  }
}

/** Null when the user thought better of it. */
export function ask(host: LitElement, question: Question): Promise<Answer | null> {
  return new Promise((answer) => host.dispatchEvent(new AskEvent(question, answer)));
}
