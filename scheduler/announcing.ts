// Tells the cluster of tasks that have left their workers. What does not get through is made good by reconcile.

import { messageOf } from '../shared/errors.ts';
import { taskChanged } from '../shared/model/event.ts';
import { resourceShape } from '../shared/model/resources.ts';
import type { Task } from '../shared/model/task.ts';
import type { LoopParts } from './parts.ts';

/** Those that wait again go to the intake queue, and all are told on the bus. Never throws. */
export async function announceMoved(
  { intake, bus, log }: Pick<LoopParts, 'intake' | 'bus' | 'log'>,
  moved: readonly Task[],
): Promise<void> {
  const again = moved.filter(({ state }) => state === 'queued');
  try {
    await intake.add(
      again.map(({ id, spec }) => ({
        taskId: id,
        priority: spec.priority,
        shape: resourceShape(spec.resources),
      })),
    );
    await bus.publishMany(moved.map(taskChanged));
  } catch (error) {
    log.warn({ fault: messageOf(error) }, 'could not queue tasks again; it is repeated');
  }
}
