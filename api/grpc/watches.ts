// The two calls that go on and on: a task as it goes on, the cluster each second. Each ends with its reader, its deadline,
// its token, its task or this process, whichever comes first, and then holds nothing any more.

import {
  stateChangeMessage,
  type WatchPositionMessage,
  type WatchTaskMessage,
} from '../../shared/contracts/grpc.ts';
import { watchTaskMessageSchema } from '../../shared/contracts/grpc-schemas.ts';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { OpenSessions } from '../live/open-sessions.ts';
import type { TelemetryTicker, Tick } from '../live/telemetry-ticker.ts';
import { networkOf } from '../services/network-of.ts';
import type { FollowPosition, FollowStep, TaskFollowing } from '../services/task-following.ts';
import { acceptor } from '../validation.ts';
import type { Admissions } from './admission.ts';
import { type Caller, principalOf } from './caller.ts';
import type { Contract } from './contract.ts';
import type { OpenCalls } from './open-calls.ts';
import { Outgoing, type StreamCall } from './outgoing.ts';

export interface WatchParts {
  readonly contract: Contract;
  readonly admissions: Admissions;
  readonly following: TaskFollowing;
  readonly ticker: TelemetryTicker;
  readonly open: OpenSessions;
  readonly openCalls: OpenCalls;
  readonly stopping: AbortSignal;
  /** A reader that takes nothing for so long is given up. */
  readonly peerIdleMs: number;
}

/** Of output, at a time: what a reader that does not read holds. */
const PAGE_CHARS = 64 * 1_024;

type Watch<Request> = (request: Request, caller: Caller, out: Outgoing) => Promise<void>;

export function createWatches(parts: WatchParts) {
  const acceptWatch = acceptor(watchTaskMessageSchema);
  const encodeStep = stepEncoder(parts.contract);
  const encodeTelemetry = parts.contract.encoder('Telemetry');
  /** One copy of the bytes for all who watch. */
  const ticks = new WeakMap<Tick, Buffer>();
  const bytesOf = (tick: Tick) => {
    const bytes = ticks.get(tick) ?? encodeTelemetry(tick.body);
    ticks.set(tick, bytes);
    return bytes;
  };

  const watchTask: Watch<WatchTaskMessage> = async (request, caller, out) => {
    const { task_id: taskId, attempt, from_seq: fromSeq, from_state: fromState } = acceptWatch(request);
    caller.about(taskId);
    const by = principalOf(caller);
    const ask = { by, taskId, attempt, fromSeq, fromState, pageChars: PAGE_CHARS, signal: out.signal };
    const steps = await parts.following.open(ask);
    for await (const step of steps) if (!(await out.send(encodeStep(step)))) return;
  };

  const watchTelemetry: Watch<object> = async (_request, _caller, out) => {
    let newest: Tick | null = null;
    let wake = () => {};
    const unlisten = parts.ticker.listen((tick) => {
      newest = tick;
      wake();
    });
    const woken = () => wake();
    out.signal.addEventListener('abort', woken);
    try {
      newest = await parts.ticker.now();
      let shown: Tick | null = null;
      while (!out.signal.aborted) {
        if (newest !== shown && newest !== null) {
          shown = newest;
          if (!(await out.send(bytesOf(shown)))) return;
          continue;
        }
        await new Promise<void>((done) => {
          wake = done;
          if (out.signal.aborted) done();
        });
      }
    } finally {
      out.signal.removeEventListener('abort', woken);
      unlisten();
    }
  };

  /** The frame around both. */
  const framed =
    <Request>(watch: Watch<Request>) =>
    (call: StreamCall<Request>): void => {
      void run(parts, call, parts.admissions.callerOf(call.metadata), watch);
    };
  return { WatchTask: framed(watchTask), WatchTelemetry: framed(watchTelemetry) };
}

async function run<Request>(
  parts: WatchParts,
  call: StreamCall<Request>,
  caller: Caller,
  watch: Watch<Request>,
) {
  const { open, openCalls, stopping, peerIdleMs } = parts;
  const out = new Outgoing(call, peerIdleMs);
  const onStop = () => out.stop(STOPPING);
  stopping.addEventListener('abort', onStop);
  if (stopping.aborted) onStop();
  let forget = () => {};
  try {
    call.once('cancelled', openCalls.add(payerOf(caller)));
    const { session } = caller;
    if (session) {
      forget = open.add({
        caller: session,
        end: ({ code, message }) => out.stop(new AppError(code as ErrorCode, message)),
        again: () => out.stop(ANEW),
      });
    }
    await watch(call.request, caller, out);
    if (out.reason !== null) throw out.reason;
    call.end();
  } catch (error) {
    // Who is gone, or out of time, is told nothing.
    if (!out.signal.aborted || out.reason !== null) call.emit('error', caller.refusal(out.reason ?? error));
  } finally {
    forget();
    stopping.removeEventListener('abort', onStop);
    out.close();
  }
}

const STOPPING = new AppError(
  'timed_out',
  'this copy of the API stops: call again and go on where you were',
  {
    retryable: true,
  },
);
const ANEW = new AppError('timed_out', 'what you may see has changed: call again and go on where you were', {
  retryable: true,
});

function payerOf({ session, address }: Caller): string {
  return session ? session.principal.userId : networkOf(address);
}

function stepEncoder(contract: Contract): (step: FollowStep) => Buffer {
  const encode = contract.encoder('WatchTaskResponse');
  return (step) => encode({ next: positionMessage(step.next), ...eventOf(step) });
}

function eventOf(step: FollowStep): object {
  if (step.kind === 'state') return { state: stateChangeMessage(step.change) };
  return { logs: { attempt: step.page.attempt, lines: step.page.bodies() } };
}

function positionMessage({ attempt, seq, state }: FollowPosition): WatchPositionMessage {
  return { attempt, from_seq: seq, from_state: state };
}
