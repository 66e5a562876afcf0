// Who did what, in MongoDB. Appends and drops the oldest; nothing here changes an entry.

import type { Filter } from 'mongodb';
import type { AuditEntry } from '../../model/audit.ts';
import { auditIdFloor } from '../../platform/ids.ts';
import type { AuditFilter, AuditStore } from '../../ports/audit-store.ts';
import type { AuditDocument, Collections } from './collections.ts';
import { guarded } from './errors.ts';
import { insertNew } from './insert-new.ts';

export class MongoAuditStore implements AuditStore {
  readonly #entries: Collections['audit'];

  constructor({ audit }: Pick<Collections, 'audit'>) {
    this.#entries = audit;
  }

  async append(entries: readonly AuditEntry[]): Promise<void> {
    await guarded(() => insertNew(this.#entries, entries.map(documentOf)));
  }

  list(filter: AuditFilter, page: { limit: number; before?: string | undefined }): Promise<AuditEntry[]> {
    const { actorId, actions, target, from, to } = filter;
    const bounds: Filter<AuditDocument>[] = [
      ...(from === undefined ? [] : [{ _id: { $gte: auditIdFloor(from) } }]),
      ...(to === undefined ? [] : [{ _id: { $lt: auditIdFloor(to) } }]),
      ...(page.before === undefined ? [] : [{ _id: { $lt: page.before } }]),
      ...(actorId === undefined ? [] : [{ actorId }]),
      ...(actions === undefined ? [] : [{ action: { $in: [...actions] } }]),
      ...(target === undefined ? [] : [{ target: JSON.stringify(target) }]),
    ];
    return guarded(async () => {
      const found = await this.#entries
        .find(bounds.length === 0 ? {} : { $and: bounds })
        .sort({ _id: -1 })
        .limit(page.limit)
        .toArray();
      return found.map(({ record }) => JSON.parse(record) as AuditEntry);
    });
  }

  prune(before: number, limit: number): Promise<number> {
    return guarded(async () => {
      const old = await this.#entries
        .find({ _id: { $lt: auditIdFloor(before) } }, { projection: { _id: 1 } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      if (old.length === 0) return 0;
      await this.#entries.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      return old.length;
    });
  }
}

function documentOf(entry: AuditEntry): AuditDocument {
  const { id, actor, action, target } = entry;
  return {
    _id: id,
    actorId: actor?.userId ?? null,
    action,
    // BSON cannot hold every text.
    target: target === null ? null : JSON.stringify(target),
    record: JSON.stringify(entry),
  };
}
