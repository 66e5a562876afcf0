import { describe, expect, it } from 'vitest';
import { isProof, newKeyShare, type Prover, prove, seal, type Transcript, unseal } from './adoption-proof.ts';

const TOKEN = 'a-token-of-the-cluster-0123456789';
const OTHER = 'another-token-of-a-cluster-012345';

function exchange() {
  const api = newKeyShare();
  const runner = newKeyShare();
  const transcript: Transcript = {
    version: 1,
    workerId: 'worker-3',
    address: '192.168.1.102:50052',
    apiNonce: api.nonce,
    apiPublicKey: api.publicKey,
    runnerNonce: runner.nonce,
    runnerPublicKey: runner.publicKey,
  };
  return { api, runner, transcript };
}

describe('proofs', () => {
  it('holds for who has the token, and for nobody else', () => {
    const { transcript } = exchange();
    const proof = prove(TOKEN, 'runner', transcript);
    expect(isProof(proof, TOKEN, 'runner', transcript)).toBe(true);
    expect(isProof(proof, OTHER, 'runner', transcript)).toBe(false);
    expect(isProof('', TOKEN, 'runner', transcript)).toBe(false);
  });

  it('of one side is never one of the other', () => {
    const { transcript } = exchange();
    const provers: Prover[] = ['runner', 'api', 'accepted'];
    for (const mine of provers) {
      for (const theirs of provers) {
        expect(isProof(prove(TOKEN, mine, transcript), TOKEN, theirs, transcript)).toBe(mine === theirs);
      }
    }
  });

  it('is for this exchange alone: any other word of it breaks the proof', () => {
    const { transcript } = exchange();
    const proof = prove(TOKEN, 'api', transcript);
    for (const field of Object.keys(transcript)) {
      const other = { ...transcript, [field]: field === 'version' ? 2 : 'x' } as Transcript;
      expect(isProof(proof, TOKEN, 'api', other), field).toBe(false);
    }
  });
});

describe('the seal', () => {
  const settings = { REDIS_URL: 'redis://:secret@redis.example:6379' };

  it('is opened by the other side', () => {
    const { api, runner, transcript } = exchange();
    const sealed = seal(settings, TOKEN, api, runner.publicKey, transcript);
    expect(JSON.stringify(sealed)).not.toContain('secret');
    expect(unseal(sealed, TOKEN, runner, api.publicKey, transcript)).toEqual(settings);
  });

  it('stays shut for another token, another key, another exchange, and when it was changed', () => {
    const { api, runner, transcript } = exchange();
    const sealed = seal(settings, TOKEN, api, runner.publicKey, transcript);
    const code = 'invalid_request';
    const open = (token = TOKEN, mine = runner, theirs = api.publicKey, said = transcript, what = sealed) =>
      unseal(what, token, mine, theirs, said);
    expect(() => open(OTHER)).toThrow(expect.objectContaining({ code }));
    expect(() => open(TOKEN, newKeyShare())).toThrow(expect.objectContaining({ code }));
    expect(() => open(TOKEN, runner, newKeyShare().publicKey)).toThrow(expect.objectContaining({ code }));
    expect(() => open(TOKEN, runner, 'no key')).toThrow(expect.objectContaining({ code }));
    expect(() => open(TOKEN, runner, api.publicKey, { ...transcript, address: 'x' })).toThrow(
      expect.objectContaining({ code }),
    );
    const data = Buffer.from(sealed.data, 'base64');
    data[0] = (data[0] ?? 0) ^ 1;
    const changed = { ...sealed, data: data.toString('base64') };
    expect(() => open(TOKEN, runner, api.publicKey, transcript, changed)).toThrow(
      expect.objectContaining({ code }),
    );
    expect(() => open(TOKEN, runner, api.publicKey, transcript, { ...sealed, tag: '' })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
