// An error in words for people: what is wrong, and what they can do where the error does not say so itself. Pure.

import { ApiError, ConnectionError } from '../../client/client.ts';

/** `advice` is empty where `what` says all. */
export function errorWords(error: Error): { what: string; advice: string } {
  if (error instanceof ConnectionError) {
    return {
      what: 'The API cannot be reached',
      advice: 'It may be restarting. This page goes on trying; check your network if it lasts.',
    };
  }
  if (error instanceof ApiError) {
    // The API says itself what to do. What stands before it, such as a proxy, does not.
    const isOurs = error.code !== 'unexpected_reply' || error.status < 500;
    return {
      what: sentence(error.message),
      advice: isOurs ? '' : 'The API may be restarting. This page goes on trying.',
    };
  }
  return { what: 'Something went wrong in this page', advice: error.message };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
