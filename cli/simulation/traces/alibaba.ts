// Tables of Alibaba's cluster traces (github.com/alibaba/clusterdata): `batch_task` and `machine_meta` of
// cluster-trace-v2018, and the lists of pods and nodes of cluster-trace-gpu-v2023 (Q. Weng et al., USENIX ATC 2023).

import { type LabelDemand, NO_DEMAND, NO_TERMS } from '../../../shared/model/labels.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import { countText, firstWithout, numberIn, readRow, type Table, textIn } from './columns.ts';
import { type LineReader, MOST_TASKS, type TraceSink } from './trace.ts';

const BATCH = { task: 0, instances: 1, job: 2, type: 3, status: 4, start: 5, end: 6, cpu: 7, memory: 8 };
export const BATCH_TASK_COLUMNS = 9;
export const MACHINE_META_COLUMNS = 7;
const META = { machine: 0, time: 1, cores: 4, memory: 5 };
const BATCH_TASK: Table = {
  name: 'batch_task',
  columns: BATCH_TASK_COLUMNS,
  numbers: { instance_num: BATCH.instances, start_time: BATCH.start, end_time: BATCH.end },
};
const MACHINE_META: Table = {
  name: 'machine_meta',
  columns: MACHINE_META_COLUMNS,
  numbers: { cpu_num: META.cores, mem_size: META.memory },
};

/** `plan_cpu` 100 is a core, `plan_mem` 100 the memory of a machine. */
export class AlibabaBatchTasks implements LineReader {
  readonly #sink: TraceSink;
  readonly #scale: Resources;
  #unended = 0;

  constructor(sink: TraceSink, scale: Resources) {
    this.#sink = sink;
    this.#scale = scale;
  }

  take(line: string): string | null {
    if (line.trim() === '') return null;
    const columns = readRow(line, BATCH_TASK);
    if (typeof columns === 'string') return columns;
    const { instances, start, end } = BATCH;
    const count = numberIn(columns, instances) as number;
    const [from, to] = [numberIn(columns, start) as number, numberIn(columns, end) as number];
    if (!Number.isInteger(count) || count < 0) return '"instance_num" must be a whole number';
    if (this.#sink.tasks.length + count > MOST_TASKS)
      return `its ${count} instances are more tasks than are kept`;
    if (textIn(columns, BATCH.status) !== 'Terminated' || to < from || from <= 0) {
      this.#unended += 1;
      return null;
    }
    const task = {
      atMs: from * 1_000,
      user: `type-${textIn(columns, BATCH.type) || '0'}`,
      need: {
        cpuMillis: Math.ceil((numberIn(columns, BATCH.cpu) ?? 100) * 10),
        memoryMb: Math.ceil(((numberIn(columns, BATCH.memory) ?? 0) / 100) * this.#scale.memoryMb),
        gpus: 0,
        storageMb: 0,
      },
      runMs: Math.max(1, (to - from) * 1_000),
      kValue: 3,
      priority: 5,
      image: '',
      tag: `type-${textIn(columns, BATCH.type)}`,
      labels: NO_DEMAND,
      worker: null,
    };
    for (let one = 0; one < count; one += 1) {
      const fault = this.#sink.addTask(task);
      if (fault !== null) return fault;
    }
    return null;
  }

  remarks(): readonly string[] {
    return [
      `Memory is a part of a machine's, taken to be ${Math.round(this.#scale.memoryMb / 1_024)} GB (--worker-size says otherwise).`,
      'The table tells neither users nor submissions: the type of a task stands for its user, and it comes when it started.',
      ...(this.#unended > 0
        ? [`${countText(this.#unended, 'row')} of tasks that did not run to their end left out.`]
        : []),
    ];
  }
}

export class AlibabaMachines implements LineReader {
  readonly #sink: TraceSink;
  readonly #scale: Resources;
  readonly #seen = new Set<string>();

  constructor(sink: TraceSink, scale: Resources) {
    this.#sink = sink;
    this.#scale = scale;
  }

  take(line: string): string | null {
    if (line.trim() === '') return null;
    const columns = readRow(line, MACHINE_META);
    if (typeof columns === 'string') return columns;
    const id = textIn(columns, META.machine);
    if (this.#seen.has(id)) return null;
    this.#seen.add(id);
    const capacity = {
      cpuMillis: (numberIn(columns, META.cores) as number) * 1_000,
      memoryMb: Math.floor(((numberIn(columns, META.memory) as number) / 100) * this.#scale.memoryMb),
      gpus: 0,
      storageMb: this.#scale.storageMb,
    };
    return this.#sink.addWorkers({ id, capacity, labels: {} }, 1);
  }

  remarks(): readonly string[] {
    return [];
  }
}

/** Both lists of the GPU trace of 2023: what they are is in their headings, as is the order of their columns. */
export class AlibabaGpuList implements LineReader {
  readonly #sink: TraceSink;
  readonly #columnOf: Readonly<Record<string, number>>;
  #parts = 0;
  #unended = 0;

  /** @param heading the first line */
  constructor(sink: TraceSink, heading: string) {
    this.#sink = sink;
    this.#columnOf = Object.fromEntries(
      heading
        .trim()
        .split(',')
        .map((name, at) => [name.trim(), at]),
    );
  }

  static isHeading(line: string): boolean {
    return /(^|,)cpu_milli,memory_mib,(num_)?gpu,/.test(line.trim());
  }

  take(line: string): string | null {
    if (line.trim() === '' || AlibabaGpuList.isHeading(line)) return null;
    const columns = line.split(',');
    const at = (name: string) => this.#columnOf[name] ?? -1;
    if (at('sn') !== -1) return this.#takeNode(columns, at);
    const missing = firstWithout(columns, {
      cpu_milli: at('cpu_milli'),
      memory_mib: at('memory_mib'),
      num_gpu: at('num_gpu'),
      creation_time: at('creation_time'),
    });
    if (missing !== null) return `"${missing}" is no number`;
    const number = (name: string) => numberIn(columns, at(name));
    const [scheduled, deleted] = [number('scheduled_time'), number('deletion_time')];
    if (scheduled === null || deleted === null || deleted <= scheduled) {
      this.#unended += 1;
      return null;
    }
    const gpus = number('num_gpu') as number;
    if (gpus === 1 && (number('gpu_milli') ?? 1_000) < 1_000) this.#parts += 1;
    const quality = textIn(columns, at('qos'));
    return this.#sink.addTask({
      atMs: (number('creation_time') as number) * 1_000,
      user: quality || 'unknown',
      need: {
        cpuMillis: Math.ceil(number('cpu_milli') as number),
        memoryMb: Math.ceil(number('memory_mib') as number),
        gpus,
        storageMb: 0,
      },
      runMs: (deleted - scheduled) * 1_000,
      kValue: 3,
      priority: PRIORITY_OF[quality] ?? 5,
      image: '',
      tag: quality,
      labels: demandOf(textIn(columns, at('gpu_spec'))),
      worker: null,
    });
  }

  remarks(): readonly string[] {
    if (this.#columnOf.sn !== undefined) return [];
    return [
      'The list tells no users: the quality of service stands for the user, and for the priority (LS 7, BE 3, others 5).',
      ...(this.#parts > 0
        ? [
            `${countText(this.#parts, 'task')} asked for a part of a GPU and get${this.#parts === 1 ? 's' : ''} a whole one.`,
          ]
        : []),
      ...(this.#unended > 0
        ? [`${countText(this.#unended, 'task')} that did not run to an end left out.`]
        : []),
    ];
  }

  #takeNode(columns: readonly string[], at: (name: string) => number): string | null {
    const missing = firstWithout(columns, {
      cpu_milli: at('cpu_milli'),
      memory_mib: at('memory_mib'),
      gpu: at('gpu'),
    });
    if (missing !== null) return `"${missing}" is no number`;
    const number = (name: string) => numberIn(columns, at(name)) as number;
    const model = textIn(columns, at('model'));
    const capacity = {
      cpuMillis: Math.floor(number('cpu_milli')),
      memoryMb: Math.floor(number('memory_mib')),
      gpus: number('gpu'),
      storageMb: 0,
    };
    const labels: Record<string, string> = model === '' || model === 'nan' ? {} : { gpu_model: model };
    return this.#sink.addWorkers({ id: textIn(columns, at('sn')), capacity, labels }, 1);
  }
}

const PRIORITY_OF: Readonly<Record<string, number>> = { LS: 7, BE: 3 };

/** `V100M16|V100M32`: one of these models. */
function demandOf(spec: string): LabelDemand {
  if (spec === '' || spec === 'nan') return NO_DEMAND;
  return { constraints: { gpu_model: spec.split('|').filter((one) => one !== '') }, prefer: NO_TERMS };
}
