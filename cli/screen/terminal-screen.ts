// The process's own terminal as a screen. It must leave the terminal as it found it: cursor shown, lines cooked.

import { createLogUpdate } from 'log-update';
import type { Screen } from './screen.ts';

const HOME_AND_ERASE = '\x1b[H\x1b[2J';
const CTRL_C = '\u0003';

/** Standard output must be a terminal that can move its cursor. Ctrl-C aborts `interrupt`. */
export function terminalScreen(interrupt: AbortController): Screen {
  const { stdin, stdout } = process;
  const update = createLogUpdate(stdout);
  return {
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    draw: (text) => update(text),
    clear: () => update.clear(),
    done: () => update.done(),
    wipe: () => {
      update.clear();
      stdout.write(HOME_AND_ERASE);
    },
    onResize: (listen) => {
      stdout.on('resize', listen);
      return () => stdout.off('resize', listen);
    },
    onKey: (listen) => {
      if (!stdin.isTTY) return () => undefined;
      const read = (keys: Buffer | string) => {
        for (const key of String(keys)) {
          // In raw mode Ctrl-C comes as a key; it must still mean what it means.
          if (key === CTRL_C) interrupt.abort();
          else listen(key);
        }
      };
      stdin.setRawMode(true);
      stdin.resume();
      stdin.on('data', read);
      return () => {
        stdin.off('data', read);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
  };
}
