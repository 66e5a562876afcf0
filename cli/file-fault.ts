// Why a file of this machine cannot be read or written, in words. Pure.

import { plain } from './table.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'it is not allowed',
  EISDIR: 'it is a folder',
  ENOTDIR: 'its folder is a file',
  ENOSPC: 'the disk is full',
  Z_DATA_ERROR: 'it is not packed as .gz says, or broken',
  Z_BUF_ERROR: 'it ends too soon',
};

export function fileFault(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return WORDS[code] ?? plain(message);
}
