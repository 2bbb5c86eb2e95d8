import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStartOptions } from './start-options.ts';

let STATE_DIR: string;
beforeAll(async () => {
  STATE_DIR = await mkdtemp(join(tmpdir(), 'modferry-options-'));
});
afterAll(() => rm(STATE_DIR, { recursive: true }));

const parse = (variables: Readonly<Record<string, string>>, isTerminal = false) =>
  parseStartOptions({ environment: { STATE_DIR, ...variables }, isTerminal });

describe('REGION', () => {
  it.each([
    ['', {}],
    ['CN', { country: 'CN' }],
    ['HKG', { dataCentre: 'HKG' }],
    ['EU', { continent: 'EU' }],
  ])('%j is the region %j', async (REGION, region) => {
    expect(await parse({ REGION })).toMatchObject({ ok: true, value: { region } });
  });

  it.each(['cn', 'China', 'C1', 'CN,AS'])('%j is refused', async (REGION) => {
    expect(await parse({ REGION })).toMatchObject({
      ok: false,
      reason: [expect.stringContaining(`Cannot use REGION "${REGION}": it is the code of a`)],
    });
  });
});

describe('the log', () => {
  it.each([
    ['', true, 'text'],
    ['', false, 'json'],
    ['json', true, 'json'],
    ['text', false, 'text'],
  ])('with LOG_FORMAT %j, on a terminal: %j, is %s', async (LOG_FORMAT, isTerminal, logFormat) => {
    const parsed = await parse({ LOG_FORMAT }, isTerminal);
    expect(parsed).toMatchObject({ ok: true, value: { logFormat } });
  });
});

it('every problem is reported at once', async () => {
  expect(await parse({ PORT: '70000', REGION: 'x', LOG_FORMAT: 'xml' })).toEqual({
    ok: false,
    reason: [
      'Cannot use PORT "70000": it is a number from 0 to 65535',
      'Cannot use REGION "x": it is the code of a data centre (HKG), country (CN) or continent (EU)',
      'Cannot use LOG_FORMAT "xml": it is json or text',
    ],
  });
});
