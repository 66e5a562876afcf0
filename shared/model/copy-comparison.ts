// How the record of now and a copy of it differ, in numbers.

/** What putting a copy back would change. */
export interface CopyComparison {
  readonly tasksNow: number;
  readonly tasksInCopy: number;
  /** Tasks of now that the copy does not have, and how many of them have not ended. */
  readonly tasksLost: number;
  readonly unfinishedLost: number;
  /** Tasks that have ended by now and had not when the copy was made: they run again. */
  readonly tasksAgain: number;
  readonly usersLost: number;
}
