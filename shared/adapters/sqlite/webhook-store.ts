// Webhooks, signing secrets and deliveries in SQLite. Sends nothing; a delivery changes by compare-and-set alone.

import type { Webhook, WebhookDelivery } from '../../model/webhook.ts';
import type { WebhookStore } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';

/** Deliveries removed in one transaction at most: bounds how long the event loop and other processes wait. */
const PRUNE_STEP = 1_000;

interface Row {
  record: string;
}

export class SqliteWebhookStore implements WebhookStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async insert(webhook: Webhook): Promise<void> {
    const { id, ownerId, createdAt } = webhook;
    const db = this.#connection;
    await db.write(() =>
      db.run('INSERT INTO webhooks VALUES (?, ?, ?, ?)', [id, ownerId, createdAt, JSON.stringify(webhook)]),
    );
  }

  list(ownerId: string): Promise<Webhook[]> {
    const db = this.#connection;
    return db.read(() =>
      db
        .all<Row>('SELECT record FROM webhooks WHERE owner_id = ? ORDER BY created_at, id', [ownerId])
        .map(({ record }) => JSON.parse(record) as Webhook),
    );
  }

  remove(ownerId: string, id: string): Promise<boolean> {
    const db = this.#connection;
    return db.write(() => db.run('DELETE FROM webhooks WHERE id = ? AND owner_id = ?', [id, ownerId]) === 1);
  }

  signingSecret(ownerId: string, fresh: string): Promise<string> {
    const db = this.#connection;
    return db.write(() => {
      db.run('INSERT INTO signing_secrets VALUES (?, ?) ON CONFLICT DO NOTHING', [ownerId, fresh]);
      const sql = 'SELECT secret FROM signing_secrets WHERE owner_id = ?';
      return db.first<{ secret: string }>(sql, [ownerId])?.secret ?? fresh;
    });
  }

  async replaceSigningSecret(ownerId: string, secret: string): Promise<void> {
    const db = this.#connection;
    await db.write(() => db.run('INSERT OR REPLACE INTO signing_secrets VALUES (?, ?)', [ownerId, secret]));
  }

  insertDeliveries(deliveries: readonly WebhookDelivery[]): Promise<ReadonlySet<string>> {
    const db = this.#connection;
    return db.write(() => {
      const fresh = new Set<string>();
      for (const delivery of deliveries) {
        const { id, ownerId, webhookId, taskId, state, nextAt, revision, createdAt } = delivery;
        const changed = db.run(
          `INSERT INTO webhook_deliveries
             (id, owner_id, webhook_id, task_id, state, next_at, revision, created_at, record)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
          [id, ownerId, webhookId, taskId, state, nextAt, revision, createdAt, JSON.stringify(delivery)],
        );
        if (changed === 1) fresh.add(id);
      }
      return fresh;
    });
  }

  getDelivery(id: string): Promise<WebhookDelivery | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<Row>('SELECT record FROM webhook_deliveries WHERE id = ?', [id]);
      return row && deliveryOf(row);
    });
  }

  dueDeliveries(now: number, limit: number): Promise<WebhookDelivery[]> {
    const db = this.#connection;
    return db.read(() =>
      db
        .all<Row>(
          `SELECT record FROM webhook_deliveries INDEXED BY deliveries_due
           WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, id LIMIT ?`,
          [now, limit],
        )
        .map(deliveryOf),
    );
  }

  commitDelivery(next: WebhookDelivery): Promise<boolean> {
    const db = this.#connection;
    return db.write(
      () =>
        db.run(
          `UPDATE webhook_deliveries SET state = ?, next_at = ?, revision = ?, record = ?
           WHERE id = ? AND revision = ?`,
          [next.state, next.nextAt, next.revision, JSON.stringify(next), next.id, next.revision - 1],
        ) === 1,
    );
  }

  listDeliveries(
    filter: { ownerId: string; taskId?: string | undefined; webhookId?: string | undefined },
    page: { limit: number; before?: string | undefined },
  ): Promise<WebhookDelivery[]> {
    const { ownerId, taskId, webhookId } = filter;
    const db = this.#connection;
    const conditions = ['owner_id = ?'];
    const values: Value[] = [ownerId];
    // The index that leaves least to look through; each is in the order of the list.
    let index = 'deliveries_by_owner';
    if (webhookId !== undefined) {
      conditions.push('webhook_id = ?');
      values.push(webhookId);
      index = 'deliveries_by_webhook';
    }
    if (taskId !== undefined) {
      conditions.push('task_id = ?');
      values.push(taskId);
      index = 'deliveries_by_task';
    }
    if (page.before !== undefined) {
      conditions.push('(created_at, id) < (SELECT created_at, id FROM webhook_deliveries WHERE id = ?)');
      values.push(page.before);
    }
    return db.read(() =>
      db
        .all<Row>(
          `SELECT record FROM webhook_deliveries INDEXED BY ${index} WHERE ${conditions.join(' AND ')}
           ORDER BY created_at DESC, id DESC LIMIT ?`,
          [...values, page.limit],
        )
        .map(deliveryOf),
    );
  }

  async removeDeliveriesOf(taskIds: readonly string[]): Promise<void> {
    const db = this.#connection;
    await db.write(() =>
      db.run(
        `DELETE FROM webhook_deliveries
         WHERE state <> 'pending' AND task_id IN (SELECT value FROM json_each(?))`,
        [JSON.stringify(taskIds)],
      ),
    );
  }

  async pruneDeliveries(before: number): Promise<void> {
    const db = this.#connection;
    const step = () =>
      db.run(
        `DELETE FROM webhook_deliveries WHERE n IN
           (SELECT n FROM webhook_deliveries INDEXED BY deliveries_done
            WHERE state <> 'pending' AND created_at < ? LIMIT ?)`,
        [before, PRUNE_STEP],
      );
    while ((await db.write(step)) === PRUNE_STEP);
  }
}

function deliveryOf({ record }: Row): WebhookDelivery {
  return JSON.parse(record) as WebhookDelivery;
}
