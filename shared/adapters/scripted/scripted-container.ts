// One scripted container: runs its steps on timers, keeps its output, tells whoever waits. No process, no I/O.

import type { LogStream } from '../../model/log-line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContainerSpec, ContainerStatus } from '../../ports/container-runtime.ts';
import { type Left, readScript, type Script, type TermEnd } from './script.ts';
import { UsageMeter } from './usage-meter.ts';

const PLAIN_TERM_END: TermEnd = { exitCode: 143, afterMs: 0, lastWords: null };
const SIGKILL_EXIT = 137;
/** What an engine says of a container that it finds dead. */
const UNKNOWN_EXIT = 255;

export interface Chunk {
  readonly stream: LogStream;
  readonly bytes: Buffer;
}

export class ScriptedContainer {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly script: Script;
  /** All output from the first byte on. */
  readonly output: Chunk[] = [];
  /** What is below /output, by path. */
  readonly left = new Map<string, Left>();
  /** What is below /input, by path. */
  readonly input: ReadonlyMap<string, Buffer>;
  readonly usage: UsageMeter;
  removed = false;
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();
  #state: ContainerStatus['state'] = 'created';
  #startedAt: number | null = null;
  #finishedAt: number | null = null;
  #exitCode: number | null = null;
  #oomKilled = false;
  #cutBy: 'engine' | 'machine' | null = null;
  /** What SIGTERM ends it with; null ignores it. */
  #termEnd: TermEnd | null = PLAIN_TERM_END;
  #timer: NodeJS.Timeout | null = null;

  constructor(id: string, spec: ContainerSpec, clock: Clock, input: ReadonlyMap<string, Buffer>) {
    this.id = id;
    this.spec = spec;
    this.input = input;
    this.usage = new UsageMeter(clock);
    this.script = readScript(spec.command, spec.image);
    this.#clock = clock;
  }

  get status(): ContainerStatus {
    return {
      id: this.id,
      taskId: this.spec.taskId,
      attempt: this.spec.attempt,
      workerId: this.spec.workerId,
      state: this.#state,
      startedAt: this.#startedAt,
      finishedAt: this.#finishedAt,
      exitCode: this.#exitCode,
      oomKilled: this.#oomKilled,
      cutBy: this.#cutBy,
      gpuIds: this.spec.gpuIds,
    };
  }

  get ended(): boolean {
    return this.#state === 'exited' || this.removed;
  }

  start(): void {
    if (this.#state !== 'created') return;
    this.#state = 'running';
    this.#startedAt = this.#clock.now();
    this.#run(0);
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#state !== 'running') return;
    if (signal === 'SIGKILL') this.#end(SIGKILL_EXIT);
    else if (this.#termEnd) this.#endByTerm(this.#termEnd);
  }

  /** Ends with the engine or the machine under it. */
  cut(by: 'engine' | 'machine'): void {
    if (this.#state !== 'running') return;
    this.#cutBy = by;
    this.#end(by === 'machine' ? UNKNOWN_EXIT : SIGKILL_EXIT);
  }

  remove(): void {
    this.signal('SIGKILL');
    this.removed = true;
    this.#changed();
  }

  /** Calls back after every change until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #run(from: number): void {
    const { steps } = this.script;
    for (let at = from; at < steps.length; at += 1) {
      const step = steps[at];
      if (!step) break;
      switch (step.kind) {
        case 'write':
          this.#write(step.stream, step.bytes);
          break;
        case 'lines':
          this.#write('stdout', numberedLines(step.count));
          break;
        case 'env':
          this.#write('stdout', Buffer.from(`${this.#env(step.name)}\n`));
          break;
        case 'leave':
          this.left.set(step.left.path, step.left);
          break;
        case 'cat-input':
          this.#cat(step.path);
          break;
        case 'usage':
          this.usage.set(step.cpuMillis, step.memoryMb);
          break;
        case 'on-term':
          this.#termEnd = step.end;
          break;
        case 'exit':
          this.#end(step.exitCode);
          return;
        case 'oom':
          this.#oomKilled = true;
          this.#end(SIGKILL_EXIT);
          return;
        case 'sleep':
          this.#timer = setTimeout(() => this.#run(at + 1), step.ms);
          // A scripted container must not keep its process alive, as a real one would not.
          this.#timer.unref();
          return;
      }
    }
    this.#end(0);
  }

  #cat(path: string): void {
    const bytes = this.input.get(path);
    if (bytes) this.#write('stdout', Buffer.concat([bytes, Buffer.from('\n')]));
    else this.#write('stderr', Buffer.from(`${path}: no such file\n`));
  }

  #env(name: string): string {
    const { env, gpuIds } = this.spec;
    if (name === 'CLOUDAI_OUTPUT') return '/output';
    if (name === 'CLOUDAI_INPUT') return '/input';
    if (name === 'NVIDIA_VISIBLE_DEVICES' && gpuIds.length > 0) return gpuIds.join(',');
    return env[name] ?? '';
  }

  #write(stream: LogStream, bytes: Buffer): void {
    this.output.push({ stream, bytes });
    this.#changed();
  }

  #endByTerm({ exitCode, afterMs, lastWords }: TermEnd): void {
    if (this.#timer) clearTimeout(this.#timer);
    // A second SIGTERM finds it on its way out.
    this.#termEnd = null;
    const end = () => {
      if (lastWords !== null) this.#write('stdout', Buffer.from(`${lastWords}\n`));
      this.#end(exitCode);
    };
    if (afterMs === 0) end();
    else this.#timer = setTimeout(end, afterMs).unref();
  }

  #end(exitCode: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#state = 'exited';
    this.#exitCode = exitCode;
    this.#finishedAt = this.#clock.now();
    this.#changed();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

function numberedLines(count: number): Buffer {
  let text = '';
  for (let n = 1; n <= count; n += 1) text += `line ${n}\n`;
  return Buffer.from(text);
}
