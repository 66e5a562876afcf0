// What holds for every command, for the manual page and the reference: exit codes, environment, files. Data only;
// a test compares it with what the code reads.

import { EXIT } from '../exit.ts';
import type { Term } from './command-pages.ts';

export const EXIT_STATUS: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: EXIT.ok, meaning: 'done' },
  {
    code: EXIT.failed,
    meaning:
      'a task that was waited for failed or was cancelled, the time to wait was up, a file could not be brought, or the API refused for a reason not below',
  },
  { code: EXIT.usage, meaning: 'wrong use: an unknown option, a bad value, a request the API calls invalid' },
  { code: EXIT.noConnection, meaning: 'cannot connect: no API at that address, or what it needs is away' },
  { code: EXIT.notAllowed, meaning: 'not signed in, or not allowed' },
  { code: EXIT.interrupted, meaning: 'stopped with Ctrl-C; a task that was watched goes on' },
];

export const ENVIRONMENT: readonly Term[] = [
  { term: 'CLOUDAI_URL', description: 'address of the API; --url goes first, the profile comes after' },
  {
    term: 'CLOUDAI_TOKEN',
    description: 'token to call with; --token goes first, the sign-in kept for that address comes after',
  },
  {
    term: 'CLOUDAI_RETRY_SECONDS',
    description: 'how long an upload or a download goes on trying while nothing moves; 60 when not set',
  },
  { term: 'XDG_CONFIG_HOME', description: 'folder of settings, instead of ~/.config' },
  { term: 'HOME', description: 'home folder, where settings are when XDG_CONFIG_HOME is not set' },
  { term: 'NO_COLOR', description: 'when set to anything, no colours' },
  {
    term: 'LC_ALL, LC_CTYPE, LANG',
    description: 'the first that is set; when it names UTF-8, bars are drawn with blocks, else in ASCII',
  },
  {
    term: 'TERM',
    description:
      '"dumb" is a terminal without colours and without lines written anew in place; "linux" one that has ASCII alone',
  },
];

export const FILES: readonly Term[] = [
  {
    term: '$XDG_CONFIG_HOME/cloudai/config.json',
    description:
      'the profile: address of the cluster and the sign-in for each address. It holds tokens and has mode 0600. A token is only ever sent to the address that gave it.',
  },
  {
    term: '$XDG_CONFIG_HOME/cloudai/history',
    description:
      'lines typed at the prompt, mode 0600; not those that hold a password, a token or a secret, or begin with a blank',
  },
  {
    term: '$XDG_CONFIG_HOME/cloudai/uploads/',
    description: 'uploads that broke off, so that the same upload again goes on from there; no tokens in it',
  },
  {
    term: '<name>.part',
    description:
      'a download that is not whole yet, beside its place; the same download again goes on from there and removes it',
  },
];
