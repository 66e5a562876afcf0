// Hundreds of thousands of lines on their way to one reader while the processes they come through die and return.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type Curl, curl } from '../support/curl.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const LINES = 400_000;
/** Ten thousand at a time, so that there is a middle to die in. */
const COUNTING =
  'i=0; while [ $i -lt 40 ]; do seq $((i*10000+1)) $((i*10000+10000)); i=$((i+1)); sleep 0.25; done';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.signIn('alice');
});
afterAll(() => cluster?.stop());

/** A reader that comes back by number, and checks each line as it comes. */
class Follower {
  next = 1;
  fault: string | null = null;
  #curl: Curl | null = null;
  #rest = '';

  open(taskId: string): Curl {
    const query = `follow=true&format=ndjson&from=${this.next}`;
    this.#rest = '';
    this.#curl = curl(`${cluster.url}/api/tasks/${taskId}/logs?${query}`, cluster.token, (chunk) =>
      this.#take(chunk),
    );
    return this.#curl;
  }

  async reaches(seq: number): Promise<void> {
    await waitFor(() => this.fault !== null || this.next > seq, { what: `line ${seq}`, deadlineMs: 60_000 });
  }

  #take(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const text of lines) {
      const { seq, line, attempt } = JSON.parse(text) as LogLineBody;
      if (seq !== this.next || line !== String(this.next) || attempt !== 1) {
        this.fault ??= `wanted line ${this.next} and got ${text}`;
      }
      this.next = seq + 1;
    }
  }
}

it('gives every one of 400,000 lines once, in order, through a killed runner and two restarts of the API', async () => {
  const { task_id: id } = await cluster.submit({
    docker_image: TEST_IMAGE,
    cpu_required: 0.5,
    memory_required: 64,
    command: COUNTING,
  });
  const follower = new Follower();
  let reading = follower.open(id);

  await follower.reaches(50_000);
  await cluster.runners[0]!.end('SIGKILL');
  cluster.runners[0]!.start();

  await follower.reaches(150_000);
  await cluster.api.end('SIGKILL');
  // 18: the answer was cut off.
  expect(await reading.ended).toBe(18);
  cluster.api.start();
  await cluster.ready();
  reading = follower.open(id);

  await follower.reaches(280_000);
  const stopped = cluster.api.end('SIGTERM');
  expect(await reading.ended).toBe(0);
  await stopped;
  cluster.api.start();
  await cluster.ready();
  reading = follower.open(id);

  expect(await reading.ended).toBe(0);
  expect(follower.fault).toBeNull();
  expect(follower.next).toBe(LINES + 1);
  expect(await cluster.ended(id)).toMatchObject({ status: 'completed', attempt: 1 });
});
