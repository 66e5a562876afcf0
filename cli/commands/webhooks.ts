// `webhooks`: whom the cluster tells of changes of one's tasks, the secret it signs with, and what came of it.

import type { Command } from 'commander';
import { age } from '../../client/words.ts';
import type { DeliveryBody, WebhookBody } from '../../shared/contracts/webhooks.ts';
import { DEFAULT_WEBHOOK_EVENTS, WEBHOOK_EVENTS, type WebhookEvent } from '../../shared/model/webhook.ts';
import { withExamples } from '../examples.ts';
import { events, positive } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { paintState } from '../words.ts';

interface DeliveryOptions {
  readonly task?: string;
  readonly webhook?: string;
  readonly limit?: number;
}

export function addWebhookCommands(program: Command, run: Run): void {
  const webhooks = program.command('webhooks').description('addresses that are told of your tasks');
  const create = webhooks
    .command('create')
    .description('tell an address of all your tasks from now on')
    .argument('<url>', 'http or https')
    .option(
      '--events <events>',
      `of ${WEBHOOK_EVENTS.join(', ')}; default ${DEFAULT_WEBHOOK_EVENTS.join(',')}`,
      events,
    )
    .action(run(createWebhook));
  withExamples(create, [
    { line: 'webhooks create https://receiver.example/hook', what: 'told when a task has ended' },
    { line: 'webhooks create https://receiver.example/hook --events running,failed', what: 'of these alone' },
  ]);
  const list = webhooks.command('list').description('list your webhooks').action(run(listWebhooks));
  withExamples(list, [{ line: 'webhooks list', what: 'with what each is told of' }]);
  const remove = webhooks
    .command('delete')
    .description('tell it nothing more')
    .argument('<webhook-id>')
    .action(run(deleteWebhook));
  withExamples(remove, [
    { line: 'webhooks delete webhook-01k2v8x4m6n8p0q2r4s6t8v0w2', what: 'its id is in "webhooks list"' },
  ]);
  const secret = webhooks
    .command('secret')
    .description('show the secret that what is sent to you is signed with')
    .option('--rotate', 'make a new one; the old one is of no use from then on')
    .action(run(showSecret));
  withExamples(secret, [
    { line: 'webhooks secret', what: 'for your receivers' },
    { line: 'webhooks secret --rotate', what: 'when the old one got out' },
  ]);
  const deliveries = webhooks
    .command('deliveries')
    .description('what was sent and what came of it, newest first')
    .option('--task <task>', 'only of this task')
    .option('--webhook <webhook-id>', 'only to this webhook')
    .option('--limit <n>', 'how many', positive)
    .action(run(listDeliveries));
  withExamples(deliveries, [
    { line: 'webhooks deliveries --limit 10', what: 'the newest' },
    { line: 'webhooks deliveries --task 3e4f', what: 'of one task' },
  ]);
  const again = webhooks
    .command('redeliver')
    .description('send it again, at once')
    .argument('<delivery-id>')
    .action(run(redeliver));
  withExamples(again, [
    {
      line: 'webhooks redeliver delivery-01k2v8x4m6n8p0q2r4s6t8v0w2',
      what: 'its id is in "webhooks deliveries"',
    },
  ]);
}

async function createWebhook(
  session: Session,
  options: { events?: WebhookEvent[] },
  url: string,
): Promise<void> {
  const webhook = await session.client.createWebhook({ url, events: options.events });
  await session.show({
    json: webhook,
    ids: [webhook.webhook_id],
    text: () => `${webhook.webhook_id} hears of ${webhook.events.join(', ')}.\n`,
  });
  await session.remark('What it gets is signed; the secret to check it with: cloudai webhooks secret');
}

async function listWebhooks(session: Session): Promise<void> {
  const webhooks = await session.client.listWebhooks();
  await session.show({
    json: { webhooks },
    ids: webhooks.map(({ webhook_id }) => webhook_id),
    text: () =>
      webhooks.length === 0
        ? 'You have no webhooks. Make one: cloudai webhooks create URL\n'
        : session.table<WebhookBody>(webhooks, [
            { title: 'WEBHOOK', cell: ({ webhook_id }) => webhook_id },
            { title: 'URL', cell: ({ url }) => url, min: 12 },
            { title: 'EVENTS', cell: (webhook) => webhook.events.join(','), min: 8 },
            {
              title: 'MADE',
              cell: ({ created_at }) => `${age(created_at, session.io.now())} ago`,
              dispensable: 1,
            },
          ]),
  });
}

async function deleteWebhook(session: Session, _options: object, webhookId: string): Promise<void> {
  await session.client.deleteWebhook(webhookId);
  await session.show({
    json: { webhook_id: webhookId, deleted: true },
    text: () => `${webhookId} is deleted.\n`,
  });
}

async function showSecret(session: Session, { rotate }: { rotate?: boolean }): Promise<void> {
  const { client } = session;
  const secret = rotate ? await client.rotateSigningSecret() : await client.signingSecret();
  await session.show({ json: { signing_secret: secret }, ids: [secret], text: () => `${secret}\n` });
  if (rotate)
    await session.remark('Give it to your receivers now: everything is signed with it from here on.');
}

async function listDeliveries(session: Session, options: DeliveryOptions): Promise<void> {
  const { client } = session;
  const task = options.task === undefined ? undefined : await findTaskId(client, options.task);
  const { webhook, limit } = options;
  const reply = await client.listDeliveries({ task, webhook, limit });
  const { deliveries } = reply;
  const now = session.io.now();
  await session.show({
    json: reply,
    ids: deliveries.map(({ delivery_id }) => delivery_id),
    text: () =>
      deliveries.length === 0
        ? 'Nothing was sent.\n'
        : session.table<DeliveryBody>(deliveries, [
            { title: 'DELIVERY', cell: ({ delivery_id }) => delivery_id },
            { title: 'TASK', cell: ({ task_id }) => task_id, dispensable: 1 },
            { title: 'EVENT', cell: ({ event }) => event },
            {
              title: 'STATE',
              cell: ({ state }) => state,
              paint: (text, { state }) => paintState(state, session.io.color)(text),
            },
            { title: 'TRIES', cell: ({ tries }) => String(tries.length), align: 'right' },
            { title: 'LAST', cell: (delivery) => lastTry(delivery), min: 8 },
            { title: 'MADE', cell: ({ created_at }) => `${age(created_at, now)} ago`, dispensable: 2 },
          ]),
  });
  if (reply.next_cursor !== null) await session.remark('There are more; ask for them with --limit.');
}

function lastTry({ tries }: DeliveryBody): string {
  const last = tries.at(-1);
  if (!last) return '';
  return last.error ?? `${last.status} in ${last.took_ms} ms`;
}

async function redeliver(session: Session, _options: object, deliveryId: string): Promise<void> {
  const delivery = await session.client.redeliver(deliveryId);
  await session.show({
    json: delivery,
    ids: [delivery.delivery_id],
    text: () => `${delivery.delivery_id} is sent again.\n`,
  });
}
