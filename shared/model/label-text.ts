// How stores keep what a task demands of labels: as text beside its record, empty when it demands nothing. Pure.

import { type LabelDemand, NO_DEMAND } from './labels.ts';

export function labelText({ constraints, prefer }: LabelDemand): string {
  const isNone = Object.keys(constraints).length === 0 && Object.keys(prefer).length === 0;
  return isNone ? '' : JSON.stringify({ constraints, prefer });
}

/** Parses texts of many tasks: the same text, which is most often the case, is the same object. */
export function labelReader(): (text: string) => LabelDemand {
  const known = new Map<string, LabelDemand>([['', NO_DEMAND]]);
  return (text) => {
    let demand = known.get(text);
    if (demand === undefined) {
      demand = JSON.parse(text) as LabelDemand;
      known.set(text, demand);
    }
    return demand;
  };
}
