import { describe, expect, it } from 'vitest';
import { answered, CHALLENGE, notReached, own } from '../../../test/fakes/cloudflare/edge.ts';
import type { Visit } from '../address/visit.ts';
import { tryModule, TRIAL_FILE, waitForAddress } from './reach.ts';

interface Scene {
  readonly isNew?: boolean;
  /** In order; the last one stays. */
  readonly answers: readonly Visit[];
}

function scene({ answers, isNew = true }: Scene) {
  const visits: { readonly path: string; readonly at: number }[] = [];
  const lines: string[] = [];
  let now = 0;
  const options = {
    address: 'https://go.example.com',
    isNew,
    visit: async (url: string) => {
      visits.push({ path: new URL(url).pathname, at: now });
      return answers[Math.min(visits.length, answers.length) - 1] ?? own(200, 'ok\n');
    },
    clock: { now: () => now, sleep: async (ms: number) => void (now += ms) },
    print: (line: string) => void lines.push(line),
  };
  return { options, visits, lines, now: () => now };
}

describe('the wait for a name', () => {
  it('ends when modferry answers, and says what it waits for once', async () => {
    const absent = notReached('ENOTFOUND');
    const unready = notReached('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE');
    const answers = [absent, absent, unready, unready, own(200, 'ok\n')];
    const { lines, options } = scene({ answers });
    expect(await waitForAddress(options)).toMatchObject({ ok: true });
    expect(lines).toEqual([
      expect.stringContaining('up to ten minutes'),
      expect.stringContaining('does not resolve here yet'),
      expect.stringContaining('certificate is not ready yet'),
    ]);
  });

  it('asks for a new name late, as a resolver remembers that it did not exist', async () => {
    const fresh = scene({ answers: [own(200, 'ok\n')] });
    await waitForAddress(fresh.options);
    expect(fresh.visits[0]?.at).toBe(15_000);
    const known = scene({ isNew: false, answers: [own(200, 'ok\n')] });
    await waitForAddress(known.options);
    expect(known.visits[0]?.at).toBe(0);
  });

  it('ends after ten minutes with what was seen last, and what to do', async () => {
    const { lines, now, options } = scene({ answers: [notReached('ENOTFOUND')] });
    const result = await waitForAddress(options);
    expect(result).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/does not resolve here yet; .*run this again$/s),
    });
    expect(now()).toBe(600_000);
    expect(lines.length).toBeLessThan(15);
  });

  it.each<[string, Visit, RegExp]>([
    ['a challenge', CHALLENGE, /Bot Fight Mode off/],
    ['a rule of the zone', answered(403, 'Forbidden'), /Security, Events/],
    ['the daily limit', answered(429, 'error code: 1027'), /100,000 requests a day/],
    ['a Worker that fails', answered(500, 'error code: 1101'), /wrangler tail/],
    ['modferry that is not configured', own(500, 'modferry is not configured\n'), /not configured/],
  ])('ends at once at %s', async (_, answer, message) => {
    const { options, visits } = scene({ answers: [answer] });
    expect(await waitForAddress(options)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(message),
    });
    expect(visits).toHaveLength(1);
  });

  it('goes on while something else answers', async () => {
    const { options } = scene({ answers: [answered(200, '<html>'), own(200, 'ok\n')] });
    expect(await waitForAddress(options)).toMatchObject({ ok: true });
  });
});

describe('the trial of one module', () => {
  it('is repeated where the CPU time of a cold isolate did not suffice', async () => {
    const answers = [answered(503, 'error code: 1102'), own(200, 'module x\n', 'a.example')];
    const { options, visits } = scene({ answers });
    expect(await tryModule(options)).toEqual({ ok: true, value: 'modferry; detail=a.example' });
    expect(visits.map(({ path }) => path)).toEqual([TRIAL_FILE, TRIAL_FILE]);
  });

  it('that asks for a token, as with ACCESS=private, is there', async () => {
    const { options } = scene({ answers: [own(401, 'unauthorized: this needs a token\n')] });
    expect(await tryModule(options)).toEqual({ ok: true, value: 'to those who have a token' });
  });

  it('fails with the words of modferry and of /readyz', async () => {
    const answers = [
      ...Array<Visit>(3).fill(own(502, 'cannot get x: a: refused\n')),
      own(503, 'not ready\n'),
    ];
    const { options, visits } = scene({ answers });
    expect(await tryModule(options)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/answers 502: cannot get x: a: refused\n[^]*not ready/),
    });
    expect(visits.at(-1)?.path).toBe('/readyz');
  });
});
