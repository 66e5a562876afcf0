// Names and passwords as commands get them: asked for on a terminal without showing them, or piped in. Never printed.

import { CliError, EXIT } from './exit.ts';
import type { Session } from './session.ts';

export interface PasswordOptions {
  readonly password_stdin?: boolean;
}

export async function askName(session: Session, given: string | undefined): Promise<string> {
  if (given) return given;
  if (!session.io.interactive) {
    throw new CliError(EXIT.usage, 'there is no username', 'Name it with --username.');
  }
  return (await session.io.ask('Username: ', { secret: false })).trim();
}

export async function askPassword(
  session: Session,
  prompt: string,
  options: PasswordOptions,
): Promise<string> {
  if (options.password_stdin) {
    // One line end belongs to the pipe (`echo secret | …`), not to the password.
    return (await session.io.readInput()).replace(/\r?\n$/, '');
  }
  mustAsk(session);
  return session.io.ask(prompt, { secret: true });
}

/** Asked for twice, since nobody sees what is typed. */
export async function askNewPassword(
  session: Session,
  prompt: string,
  options: PasswordOptions,
): Promise<string> {
  const password = await askPassword(session, `${prompt} (8 characters or more): `, options);
  if (options.password_stdin || password === (await askPassword(session, 'The same again: ', options))) {
    return password;
  }
  throw new CliError(EXIT.usage, 'the two passwords differ', 'Try again.');
}

/** Piped in, they are two lines. */
export async function askChange(
  session: Session,
  options: PasswordOptions,
): Promise<{ current: string; next: string }> {
  if (!options.password_stdin) {
    const current = await askPassword(session, 'Current password: ', options);
    return { current, next: await askNewPassword(session, 'New password', options) };
  }
  const [current, next, ...more] = (await session.io.readInput()).replace(/\r?\n$/, '').split(/\r?\n/);
  if (current !== undefined && next !== undefined && more.length === 0) return { current, next };
  throw new CliError(
    EXIT.usage,
    'standard input must hold two lines',
    'Pipe in the current password and, on a line of its own, the new one.',
  );
}

function mustAsk(session: Session): void {
  if (session.io.interactive) return;
  throw new CliError(
    EXIT.usage,
    'there is no terminal to ask for the password on',
    'Pipe it in with --password-stdin.',
  );
}
