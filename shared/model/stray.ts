// Things on a container engine that carry the name of another worker than the one that looks. Pure.

export interface Stray {
  readonly workerId: string;
  /** A slot is a warm network namespace in which no container is. A volume is one that no container has. */
  readonly kind: 'container' | 'volume' | 'slot';
  /** As the engine names it. */
  readonly id: string;
  /** Whose it is; null for a slot. */
  readonly of: { readonly taskId: string; readonly attempt: number } | null;
}

export function strayContainer(container: {
  readonly id: string;
  readonly workerId: string;
  readonly taskId: string;
  readonly attempt: number;
}): Stray {
  const { id, workerId, taskId, attempt } = container;
  return { workerId, kind: 'container', id, of: { taskId, attempt } };
}
