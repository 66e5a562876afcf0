// The wire form of the decision log: one entry on each line of the answer.

export interface DecisionEntryBody {
  /** Grows with each entry; a place to go on from. Decimal digits. */
  id: string;
  /** As `scheduler/core/decision-format.ts` describes it. */
  record: unknown;
}
