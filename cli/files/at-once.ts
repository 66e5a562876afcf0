// Some work for each of many, a few at a time.

/** Begins no more once one has thrown; throws what that one threw after the others under way have settled. */
export async function eachOf<T>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const waiting = all.values();
  let failed = false;
  const lane = async () => {
    for (const one of waiting) {
      if (failed) return;
      try {
        await work(one);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, all.length) }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
