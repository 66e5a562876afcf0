// A picture on a terminal that is drawn anew in place, and what a person does beside it.

export interface Screen {
  /** As they are now. */
  readonly columns: number;
  readonly rows: number;
  /** Shows the text instead of the last picture: at most `rows - 1` lines of at most `columns` columns. */
  draw(text: string): void;
  /** Takes the picture away, so that lines may be written where it was; the next one comes under them. */
  clear(): void;
  /** Leaves the picture where it is; whatever comes next is written under it. */
  done(): void;
  /** Empties all that is to be seen: after a change of size nothing is where it was. */
  wipe(): void;
  /** Calls back when the size has changed, until the returned function is called. */
  onResize(listen: () => void): () => void;
  /** Keys come one by one and are not shown, until the returned function is called. Ctrl-C still interrupts. */
  onKey(listen: (key: string) => void): () => void;
}
