import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { as, tokenOf } from '../fakes/tokens.ts';
import { type Modferry, startModferry } from './modferry.ts';

// Tokens that are made by the API, in the built Worker.

const TOKENS = '/-/api/tokens';

const VARIABLES = { ORIGINS: 'http://127.0.0.1:1' };

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function make({ url }: Modferry, body: object): Promise<string> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: as('admin') };
  const response = await fetch(`${url}${TOKENS}`, init);
  expect(response.status).toBe(201);
  return ((await response.json()) as { readonly token: string }).token;
}

/** The status of what needs the scope `read`. */
async function statusWith({ url }: Modferry, headers: Readonly<Record<string, string>>) {
  const response = await fetch(`${url}/-/api/origins`, { headers });
  await response.body?.cancel();
  return response.status;
}

it('tokens outlive a restart, those that were revoked stay so, and no file or line has a text', async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-state-'));
  try {
    const before = await startModferry({ variables: VARIABLES, stateDirectory });
    const kept = await make(before, { name: 'kept', scope: 'read' });
    const revoked = await make(before, { name: 'revoked', scope: 'read' });
    expect(await statusWith(before, bearer(revoked))).toBe(200);
    const { status } = await fetch(`${before.url}${TOKENS}/revoked`, {
      method: 'DELETE',
      headers: as('admin'),
    });
    expect(status).toBe(204);
    expect(await statusWith(before, bearer(revoked))).toBe(401);
    await eventually(() => expect(JSON.stringify(before.log)).toContain('revoke-token'));
    const made = { event: 'admin', token: 'admin', action: 'make-token', subject: 'kept' };
    expect(before.log).toContainEqual(expect.objectContaining(made));
    await before.stop();

    const after = await startModferry({ variables: VARIABLES, stateDirectory });
    expect(await statusWith(after, bearer(kept))).toBe(200);
    const basic = `Basic ${btoa(`anybody:${kept}`)}`;
    expect(await statusWith(after, { Authorization: basic })).toBe(200);
    expect(await statusWith(after, bearer(revoked))).toBe(401);
    await eventually(async () => {
      const list = await fetch(`${after.url}${TOKENS}`, { headers: as('admin') });
      const day = new Date().toISOString().slice(0, 10);
      expect(await list.json()).toContainEqual(
        expect.objectContaining({ name: 'kept', from: 'api', lastUsed: day }),
      );
    });
    await after.stop();

    const files = await readdir(stateDirectory, { recursive: true, withFileTypes: true });
    const contents = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map(async (file) => readFile(join(file.parentPath, file.name))),
    );
    const everything = Buffer.concat(contents);
    expect(everything.includes('"name":"kept"')).toBe(true);
    const log = JSON.stringify([before.log, after.log]);
    for (const token of [kept, revoked]) {
      expect(everything.includes(token.slice('mf_'.length))).toBe(false);
      expect(log).not.toContain(token);
    }
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
});

describe('credentials that attack', () => {
  let modferry: Modferry;
  beforeAll(async () => {
    modferry = await startModferry({ variables: VARIABLES });
  });
  afterAll(() => modferry.close());

  const token = tokenOf('admin');
  const right = `Bearer ${token}`;

  /** The answer to a request with these header lines as they are, from the status on. */
  async function ask(...lines: readonly string[]): Promise<string> {
    const socket = connect(Number(new URL(modferry.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const head = [
      `GET ${TOKENS} HTTP/1.1`,
      'Host: localhost',
      'Connection: close',
      ...lines,
      '',
      '',
    ];
    socket.write(head.join('\r\n'), 'latin1');
    return (await text(socket)).replace(/^HTTP\/1\.1 /, '');
  }

  it('would be let in if they were right', async () => {
    expect(await ask(`Authorization: ${right}`)).toMatch(/^200 /);
  });

  it.each([
    ['a tab before the token', right.replace(' ', ' \t')],
    ['a control character behind the token', `${right}\u0001`],
    ['NUL in the token', right.replace('token', 'tok\0en')],
    ['NUL behind the token', `${right}\0`],
    ['DEL in the token', right.replace('token', 'tok\u007Fen')],
    ['a bare line break behind the token', `${right}\nx`],
    ['a byte above ASCII', `${right}\u00FF`],
    ['a second token', `${right} ${right}`],
    ['two of them with a comma', `${right}, ${right}`],
    ['a token of 15 kB', `Bearer ${'x'.repeat(15_000)}`],
    ['a header of 200 kB', `Bearer ${'x'.repeat(200_000)}`],
    ['15 kB of spaces', `Bearer${' '.repeat(15_000)}x y`],
    ['a user of 10 kB', `Basic ${btoa(`${'x'.repeat(10_000)}:wrong`)}`],
    ['NUL behind the token of Basic', `Basic ${btoa(`x:${token}\0`)}`],
    ['a line break behind the token of Basic', `Basic ${btoa(`x:${token}\n`)}`],
  ])('%s: the request is not let in', async (_, authorization) => {
    const answer = await ask(`Authorization: ${authorization}`);
    expect(answer).toMatch(/^(400|401|413|431) /);
    expect(answer).not.toContain(token);
  });

  it.each([
    [right, 'Bearer a-wrong-token-0123'],
    ['Bearer a-wrong-token-0123', right],
    [right, right],
  ])('two Authorization headers: the request is not let in', async (...values) => {
    const answer = await ask(...values.map((value) => `Authorization: ${value}`));
    expect(answer).toMatch(/^401 /);
  });

  it('a body of 1 MB is 413 as JSON', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(1_000_000), scope: 'read' });
    const init = { method: 'POST', body, headers: as('admin') };
    const response = await fetch(`${modferry.url}${TOKENS}`, init);
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      413,
      'application/json',
    ]);
    expect(await response.json()).toEqual({ error: expect.stringContaining('65536') });
  });
});

it('without a bucket no token is made, and the answer says what to do', async () => {
  const modferry = await startModferry({ variables: VARIABLES, without: ['FILES'] });
  try {
    const body = '{"name":"ci","scope":"read"}';
    const init = { method: 'POST', body, headers: as('admin') };
    const response = await fetch(`${modferry.url}${TOKENS}`, init);
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: expect.stringContaining('write the token into TOKENS') },
    ]);
    expect(await statusWith(modferry, as('read'))).toBe(200);
    expect(await statusWith(modferry, bearer('a-wrong-token-0123'))).toBe(401);
  } finally {
    await modferry.close();
  }
});
