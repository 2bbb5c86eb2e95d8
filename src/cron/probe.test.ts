import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/clock.ts';
import { fakeFetch } from '../../test/fakes/fetch.ts';
import { parseConfig } from '../config.ts';
import { probe } from './probe.ts';

it('every origin and database is asked once, and each has its line in the log', async () => {
  const ORIGINS =
    '[{"url":"good"},{"url":"page"},{"url":"gone"},{"url":"down"},{"url":"corp","modules":"x.example"}]';
  const parsed = parseConfig({ ORIGINS: ORIGINS.replaceAll(/"url":"(\w+)"/g, '"url":"$1.example"') });
  if (parsed.kind === 'invalid') throw new Error(parsed.problems.join());
  const fetch = fakeFetch({
    'https://good.example/golang.org/x/text/@v/v0.3.0.mod': new Response('module golang.org/x/text\n'),
    'https://page.example': new Response('<html>'),
    'https://gone.example': new Response('', { status: 404 }),
    'https://sum.golang.org/latest': new Response('go.sum database tree\n1\n'),
  });
  const lines: string[] = [];
  await probe({ config: parsed.config, clock: fakeClock(), fetch, writeLog: (line) => lines.push(line) });
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(Object.fromEntries(told.map(({ origin, verdict }) => [origin, verdict]))).toEqual({
    'good.example': 'ok',
    'page.example': 'another file than the known one',
    'gone.example': 'not found',
    'down.example': 'connection failed',
    'sum.golang.org': 'ok',
    'sum.golang.google.cn': 'connection failed',
  });
  expect(told.length).toBe(6);
});
