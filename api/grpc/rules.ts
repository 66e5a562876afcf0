// What is asked of who calls a method of ours, before its request is read. A method of the contract without a rule stops the
// process at its start, so that none is open by oversight.

import { GRPC_SERVICE } from '../../shared/contracts/grpc.ts';
import type { Contract } from './contract.ts';

export interface MethodRule {
  readonly kind: 'reads' | 'writes';
  /** What shows the cluster, where that is open. */
  readonly observe?: true;
  /** Its requests may be large. */
  readonly large?: true;
}

export interface Method {
  readonly name: string;
  readonly rule: MethodRule;
}

const RULES: Readonly<Record<string, MethodRule>> = {
  SubmitTask: { kind: 'writes', large: true },
  GetTask: { kind: 'reads' },
  ListTasks: { kind: 'reads' },
  CancelTask: { kind: 'writes' },
  WatchTask: { kind: 'reads' },
  ListWorkers: { kind: 'reads', observe: true },
  WatchTelemetry: { kind: 'reads', observe: true },
};

/** By path. What is not in it is reflection and health, which are open to all. */
export function methodsOf({ service }: Pick<Contract, 'service'>): ReadonlyMap<string, Method> {
  return new Map(
    Object.entries(service).map(([name, { path }]) => {
      const rule = RULES[name];
      if (!rule)
        throw new Error(
          `the contract has a method ${GRPC_SERVICE}/${name}, of which api/grpc/rules.ts says nothing`,
        );
      return [path, { name, rule }];
    }),
  );
}
