// Parts of a task's page that have no state of their own.

import { html, nothing } from 'lit';
import type { ApiError } from '../../../client/client.ts';
import { megabytes, trim } from '../../../client/words.ts';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../../shared/contracts/live.ts';
import { isPlaced } from '../../../shared/model/task-states.ts';
import { evictionWords } from './outcome-words.ts';

/** Whose it is and what runs in it. */
export function about(task: TaskBody) {
  return html`
    <div class="row about small">
      <span class="id"><code class="soft">${task.task_id}</code><copy-button label="Copy the id" .text=${task.task_id}></copy-button></span>
      <code class="cut image" title=${task.docker_image}>${task.docker_image}</code>
      <span class="soft">by ${task.user}</span>
      ${task.tag ? html`<a class="chip" href="/tasks?tag=${encodeURIComponent(task.tag)}"><span class="cut">${task.tag}</span></a>` : nothing}
    </div>
  `;
}

/** Instead of the page: not there, not theirs, gone. */
export function absent({ status }: ApiError, wasThere: boolean) {
  const heading = wasThere
    ? 'The task is gone'
    : status === 403
      ? 'This task is not yours'
      : 'There is no such task';
  const text = wasThere
    ? 'It was deleted meanwhile.'
    : status === 403
      ? 'Only its owner and admins may see it.'
      : 'Or it is not yours.';
  return html`
    <h1 class="unseen" tabindex="-1">Task not found</h1>
    <div class="panel"><notice-box kind="empty" heading=${heading}><p>${text} <a href="/tasks">All tasks</a></p></notice-box></div>
  `;
}

/** Why it is to leave its worker, while it has not yet; empty when it may stay. */
export function leaving(task: TaskBody): string {
  const current = task.attempts.at(-1);
  if (!current?.eviction || !isPlaced(task.status) || task.cancel_requested) return '';
  return `${evictionWords(current)} ${sentence(current.eviction.message)}`;
}

function sentence(text: string): string {
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

/** How far it is, while it is at work. */
export function atWork(task: TaskBody, progress: TaskProgressBody | null, usage: TaskUsageEvent | null) {
  if (!isPlaced(task.status)) return nothing;
  const ofThis = progress?.attempt === task.attempt ? progress : null;
  const measured = task.status === 'running' && usage?.attempt === task.attempt ? usage : null;
  if (task.status === 'running' && !ofThis && !measured) return nothing;
  return html`
    <section class="panel stack tight" aria-label="Now">
      ${ofThis ? html`<task-progress .progress=${ofThis}></task-progress>` : task.status === 'assigned' ? html`<p class="soft small">${task.worker_id} has it and gets ready to start it.</p>` : nothing}
      ${measured ? html`<p class="soft small number">using ${trim(measured.cpu, 2)} of ${trim(task.cpu_required, 2)} cores, ${megabytes(measured.memory)} of ${megabytes(task.memory_required)} memory</p>` : nothing}
    </section>
  `;
}
