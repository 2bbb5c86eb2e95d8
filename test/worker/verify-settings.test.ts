import { as } from '../fakes/tokens.ts';
import { expect, it } from 'vitest';
import { goSums } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { startOrigin } from '../fakes/origin/origin.ts';
import { startSumDB } from '../fakes/sumdb/sumdb.ts';
import { findAnyGo } from '../go/go.ts';
import { startStage, summary } from './stage.ts';

const go = findAnyGo() ?? '';

it.skipIf(go === '').each([
  ['mod', 502, 200],
  ['off', 200, 200],
])('with VERIFY=%s a tampered .mod is %i and a tampered .zip is %i', async (VERIFY, mod, zip) => {
  const database = await startSumDB({ go, records: goSums(fixtureModules()) });
  const stage = await startStage({
    variables: { SUMDBS: `${database.verifierKey} ${database.url}`, VERIFY },
  });
  try {
    stage.origin.fault('tampered');
    for (const [end, status] of Object.entries({ mod, zip })) {
      expect(await stage.ask(`/example.com/hello/@v/v1.1.0.${end}`)).toMatchObject({ status });
    }
    expect({ isDatabaseAsked: database.count() > 0 }).toEqual({
      isDatabaseAsked: VERIFY === 'mod',
    });
  } finally {
    await stage.close();
    await database.close();
  }
});

it.skipIf(go === '')(
  'no database is asked about a module that only one origin serves',
  async () => {
    const database = await startSumDB({ go, records: goSums(fixtureModules()) });
    const own = await startOrigin({ modules: fixtureModules() });
    const stage = await startStage({
      variables: {
        ORIGINS: JSON.stringify([{ url: own.url, modules: 'example.com/*' }]),
        SUMDBS: `${database.verifierKey} ${database.url}`,
      },
      others: [own],
    });
    try {
      for (const end of ['mod', 'zip']) {
        const answer = await stage.ask(`/example.com/hello/@v/v1.1.0.${end}`, {
          headers: as('private'),
        });
        expect(summary(answer)).toMatchObject({ status: 200 });
      }
      expect(database.count()).toBe(0);
    } finally {
      await stage.close();
      await own.close();
      await database.close();
    }
  },
);
