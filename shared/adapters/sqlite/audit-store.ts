// Who did what, in SQLite. Appends and drops the oldest; nothing here changes an entry.

import { AUDIT_ACTIONS, type AuditEntry } from '../../model/audit.ts';
import { auditIdFloor } from '../../platform/ids.ts';
import type { AuditFilter, AuditStore } from '../../ports/audit-store.ts';
import type { Connection, Value } from './connection.ts';

interface Row {
  id: string;
  record: string;
}

export class SqliteAuditStore implements AuditStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async append(entries: readonly AuditEntry[]): Promise<void> {
    const db = this.#connection;
    await db.write(() => {
      for (const entry of entries) {
        const { id, actor, action, target } = entry;
        db.run('INSERT INTO audit VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING', [
          id,
          actor?.userId ?? null,
          action,
          // Text with a NUL would come back cut off, and a path may be asked for that way.
          target === null ? null : JSON.stringify(target),
          JSON.stringify(entry),
        ]);
      }
    });
  }

  list(filter: AuditFilter, page: { limit: number; before?: string | undefined }): Promise<AuditEntry[]> {
    const db = this.#connection;
    return db.read(() =>
      this.#rows(filter, page)
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, page.limit)
        .map(({ record }) => JSON.parse(record) as AuditEntry),
    );
  }

  prune(before: number, limit: number): Promise<number> {
    const db = this.#connection;
    const sql = 'DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < ? ORDER BY id LIMIT ?)';
    return db.write(() => db.run(sql, [auditIdFloor(before), limit]));
  }

  /** Each look walks an index in the order of the list, so none reads more than it gives. */
  #rows(filter: AuditFilter, page: { limit: number; before?: string | undefined }): Row[] {
    const { actorId, actions, target } = filter;
    const conditions: string[] = [];
    const values: Value[] = [];
    const also = (condition: string, value: Value) => {
      conditions.push(condition);
      values.push(value);
    };
    if (filter.from !== undefined) also('id >= ?', auditIdFloor(filter.from));
    if (filter.to !== undefined) also('id < ?', auditIdFloor(filter.to));
    if (page.before !== undefined) also('id < ?', page.before);
    const look = (index: string, more: readonly string[], moreValues: readonly Value[]) => {
      const all = [...more, ...conditions];
      return this.#connection.all<Row>(
        `SELECT id, record FROM audit ${index} ${all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`} ORDER BY id DESC LIMIT ?`,
        [...moreValues, ...values, page.limit],
      );
    };
    if (target !== undefined) {
      // One thing has few deeds: the rest is looked through.
      if (actorId !== undefined) also('actor_id = ?', actorId);
      if (actions !== undefined) also('action IN (SELECT value FROM json_each(?))', JSON.stringify(actions));
      return look('INDEXED BY audit_by_target', ['target = ?'], [JSON.stringify(target)]);
    }
    if (actorId !== undefined) {
      return (actions ?? AUDIT_ACTIONS).flatMap((action) =>
        look('INDEXED BY audit_by_actor', ['actor_id = ?', 'action = ?'], [actorId, action]),
      );
    }
    if (actions === undefined) return look('', [], []);
    return actions.flatMap((action) => look('INDEXED BY audit_by_action', ['action = ?'], [action]));
  }
}
