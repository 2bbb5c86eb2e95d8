import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLocally } from '../../src/cli/local/local.ts';
import { openLog } from '../../src/cli/local/log.ts';
import { eventually } from '../eventually.ts';

/** A Worker whose answers break off, each with an exception that nothing catches. */
const SCRIPT = `export default {
  fetch: () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) });
    return new Response(body);
  },
};`;

it.each([
  ['json', /^\{"time":"[^"]+","event":"trouble","label":"workerd","message":"Uncaught exception: /],
  ['text', /^\d\d:\d\d:\d\d trouble workerd: Uncaught exception: /],
] as const)(
  'an exception that workerd itself writes is one line of the log as %s',
  async (format, line) => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-state-'));
    const lines: string[] = [];
    const config = { origins: [], databases: [] };
    const onLog = openLog({ format, config, write: (text) => lines.push(text) });
    const options = { port: 0, stateDirectory, variables: {}, script: SCRIPT, onLog };
    const { miniflare, url } = await startLocally(options);
    try {
      await fetch(url).catch(() => undefined); // it breaks off
      await eventually(() => expect(lines).toEqual([expect.stringMatching(line)]));
    } finally {
      await miniflare.dispose();
      await rm(stateDirectory, { recursive: true, force: true });
    }
  },
);
