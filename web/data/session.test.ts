import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, ConnectionError } from '../../client/client.ts';
import type { Role } from '../../shared/model/user.ts';
import { Session } from './session.ts';

const CREDENTIALS = { username: 'uma', password: 'secure123' };

describe('a session', () => {
  const kept = new Map<string, string>();
  /** What the API answers, by path; a call of what is not there cannot reach it. */
  let answers: Record<string, (body: string) => Response | Promise<Response>> = {};
  let sent: [path: string, body: unknown][] = [];

  const account = (role: Role) => ({ username: 'uma', role });
  const json = (body: object, status = 200) =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  const refusal = () => json({ error: { code: 'unauthenticated', message: 'signed out' } }, 401);
  const signedIn = async (role: Role = 'user') => {
    answers['/api/auth/login'] = () => json({ token: 'a token', user: account(role) });
    const session = new Session();
    await session.signIn(CREDENTIALS);
    return session;
  };

  beforeEach(() => {
    kept.clear();
    answers = {};
    sent = [];
    vi.stubGlobal('location', { origin: 'http://cluster.example' });
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    });
    vi.stubGlobal('fetch', async (input: string | URL | Request, init?: RequestInit) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const body = typeof init?.body === 'string' ? init.body : '';
      sent.push([pathname, body === '' ? null : JSON.parse(body)]);
      const answer = answers[pathname];
      if (!answer) throw new TypeError('fetch failed');
      return answer(body);
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each([
    [false, 'everywhere'],
    [true, 'everywhere with tokens'],
  ])('ends everywhere, with API tokens %s, and says so', async (apiTokens, ended) => {
    const session = await signedIn();
    answers['/api/auth/logout-all'] = () => new Response(null, { status: 204 });
    await session.signOutEverywhere({ apiTokens });
    expect(sent.at(-1)).toEqual(['/api/auth/logout-all', { api_tokens: apiTokens }]);
    expect([session.user, session.ended, kept.size]).toEqual([null, ended, 0]);
  });

  it('says the same when another call was refused before the answer came', async () => {
    const session = await signedIn();
    let answer: (response: Response) => void = () => undefined;
    answers['/api/auth/logout-all'] = () =>
      new Promise((give) => {
        answer = give;
      });
    answers['/api/auth/me'] = refusal;
    const ending = session.signOutEverywhere({ apiTokens: false });
    await expect(session.client.me()).rejects.toBeInstanceOf(ApiError);
    expect(session.ended).toBe('refused');
    answer(new Response(null, { status: 204 }));
    await ending;
    expect(session.ended).toBe('everywhere');
  });

  it('goes on when nobody has heard that it is to end', async () => {
    const session = await signedIn();
    await expect(session.signOutEverywhere({ apiTokens: false })).rejects.toBeInstanceOf(ConnectionError);
    expect([session.user?.username, session.ended, kept.size]).toEqual(['uma', null, 1]);
  });

  it('may do what the role may, and nothing when nobody is there', async () => {
    const viewer = await signedIn('viewer');
    expect([viewer.may('task.cancel'), viewer.may('token.create')]).toEqual([false, true]);
    expect(viewer.whyNot('task.cancel')).toContain('viewer');
    expect((await signedIn('user')).may('task.cancel')).toBe(true);
    expect(new Session().may('token.create')).toBe(false);
  });
});
