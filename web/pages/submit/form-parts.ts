// The groups of the form for a new task, one after the other. No state: what is changed goes to the page.

import { html, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import type { ImageBody } from '../../../shared/contracts/images.ts';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { Session } from '../../data/session.ts';
import { faultsAt } from './field-faults.ts';
import { textField } from './fields.ts';
import { type Fold, placingWords } from './folds.ts';
import type { EditEvent, ValueEvent } from './form-events.ts';
import { needs, notification, placing, type Section } from './sections.ts';
import { imageNote, imageOptions, tagOptions } from './suggestions.ts';

export interface Known {
  readonly session: Session;
  readonly workers: readonly WorkerBody[];
  /** Null while it is not known which workers have. */
  readonly images: readonly ImageBody[] | null;
  readonly recent: readonly TaskSummaryBody[];
  readonly folds: ReadonlySet<Fold>;
  readonly toggled: (id: Fold, isOpen: boolean) => void;
}

const IMAGE_HINT = 'Type a name, or choose one that is there already.';

export function formParts(section: Section, known: Known) {
  const { form, faults, edit } = section;
  const edited = (event: EditEvent) => edit(event.change);
  const fileWords = form.files.length === 0 ? 'none' : `${form.files.length} below /input`;
  return html`
    <div class="parts">
      <section class="panel" aria-labelledby="what">
        <h2 id="what">What to run</h2>
        <combo-box
          label="Image" placeholder="python:3.9" listed="images" .value=${form.image} .options=${imageOptions(known.images ?? [], known.recent)}
          .faults=${faultsAt(faults, 'docker_image')} hint=${imageNote(form.image, known.images) || IMAGE_HINT}
          @value=${(event: ValueEvent) => edit({ image: event.value })}
        ></combo-box>
        <command-editor .form=${form} .faults=${faultsAt(faults, 'command')} @edit=${edited}></command-editor>
        <env-editor .rows=${form.env} .faults=${faults.filter(({ field }) => /^(?:env|secrets)\b/.test(field))} @edit=${edited}></env-editor>
      </section>
      <section class="panel" aria-labelledby="needs"><h2 id="needs">What it needs</h2>${needs(section, known.workers)}</section>
      ${fold(known, 'placing', 'Where and when', placingWords(form), placing(section, known.workers))}
      ${fold(known, 'files', 'Input files', fileWords, html`<files-picker .session=${known.session} .chosen=${form.files} .faults=${faultsAt(faults, 'files')} ?active=${known.folds.has('files')} @edit=${edited}></files-picker>`)}
      ${fold(known, 'notification', 'Notification', form.webhookUrl.trim() || 'none', notification(section))}
      <section class="panel" aria-labelledby="named">
        <h2 id="named">Name and tag</h2>
        <div class="fields wide">
          ${textField({
            id: 'name',
            label: 'Name',
            value: form.name,
            hint: 'What to call it; may stay empty.',
            faults: faultsAt(faults, 'name'),
            changed: (name) => edit({ name }),
          })}
          <combo-box label="Tag" listed="tags" hint="Groups tasks of one kind." .value=${form.tag} .options=${tagOptions(known.recent)} .faults=${faultsAt(faults, 'tag')} @value=${(event: ValueEvent) => edit({ tag: event.value })}></combo-box>
        </div>
      </section>
    </div>
  `;
}

function fold({ folds, toggled }: Known, id: Fold, heading: string, words: string, content: unknown) {
  const isOpen = folds.has(id);
  return html`
    <details class="panel" .open=${live(isOpen)} @toggle=${(event: Event) => toggled(id, (event.target as HTMLDetailsElement).open)}>
      <summary><h2>${heading}</h2>${isOpen ? nothing : html`<span class="soft small">${words}</span>`}</summary>
      <div>${content}</div>
    </details>
  `;
}
