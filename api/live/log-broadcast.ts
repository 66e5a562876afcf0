// Sends the same lines once to all who are at the same place: pieces that feeds hand in within one turn of the loop
// are encoded once and broadcast to all of them together. Feeds in step with the newest line share their pages and so
// meet here; one that lags comes with pieces of its own. Keeps nothing beyond that turn.

import type { OutputPage } from '../services/output/output-page.ts';
import type { LiveServer } from './live-server.ts';
import { cutPage, type LogPiece } from './log-pieces.ts';

/** The reader of a piece. */
export interface Recipient {
  readonly socketId: string;
  /** Asked right before the piece is sent. */
  readonly isOpen: boolean;
}

interface Round {
  readonly pieces: Map<LogPiece, Recipient[]>;
  readonly sent: Promise<void>;
}

export class LogBroadcast {
  readonly #io: Pick<LiveServer, 'local'>;
  readonly #cut = new WeakMap<OutputPage, readonly LogPiece[]>();
  #round: Round | null = null;

  constructor(io: Pick<LiveServer, 'local'>) {
    this.#io = io;
  }

  /** The same pieces for all who ask for the same page. */
  piecesOf(taskId: string, page: OutputPage): readonly LogPiece[] {
    let pieces = this.#cut.get(page);
    if (!pieces) {
      pieces = cutPage(taskId, page.attempt, page.bodies());
      this.#cut.set(page, pieces);
    }
    return pieces;
  }

  /** Resolves when it has been sent. Whoever hands in the next piece before that may get them in the wrong order. */
  send(piece: LogPiece, to: Recipient): Promise<void> {
    this.#round ??= this.#begin();
    const there = this.#round.pieces.get(piece);
    if (there) there.push(to);
    else this.#round.pieces.set(piece, [to]);
    return this.#round.sent;
  }

  #begin(): Round {
    const pieces = new Map<LogPiece, Recipient[]>();
    const sent = new Promise<void>((done) => {
      setImmediate(() => {
        this.#round = null;
        for (const [piece, recipients] of pieces) this.#emit(piece, recipients);
        done();
      });
    });
    return { pieces, sent };
  }

  #emit({ event }: LogPiece, recipients: readonly Recipient[]): void {
    const ids = recipients.filter(({ isOpen }) => isOpen).map(({ socketId }) => socketId);
    if (ids.length > 0) this.#io.local.to(ids).emit('task:log', event);
  }
}
