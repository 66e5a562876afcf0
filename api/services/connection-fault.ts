// Why somebody could not be reached, in words for people.

import { messageOf } from '../../shared/errors.ts';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'the connection was not made in time',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
};

/** @param error what a request or a socket failed with */
export function connectionFault(error: unknown): string {
  const known = codesOf(error).find((code) => WORDS[code] !== undefined);
  if (known) return `${WORDS[known]} (${known})`;
  return messageOf(error).slice(0, 300) || 'the request failed';
}

/** Of the error and of those it is made of: connecting to several addresses fails with one error for each. */
function codesOf(error: unknown): string[] {
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  return [
    ...(typeof code === 'string' ? [code] : []),
    ...(Array.isArray(errors) ? errors.flatMap(codesOf) : []),
  ];
}
