import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NO_STORE } from '../conformance/headers.ts';
import { startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { OLD_GO_ATTACKS, type OldGoAttack, underAttack } from '../fakes/sumdb/old-go-attacks.ts';
import { type Stage, startStage, summary } from './stage.ts';

// Attacks on go commands that lack the fixes of 2026, which the Worker shields. That the real go
// command falls for them is in test/e2e/attacks-old-go.test.ts.

describe.each(OLD_GO_ATTACKS)('$name', (attack: OldGoAttack) => {
  const { answer, log, lookup, tiles } = underAttack(attack);
  const base = `/sumdb/${log.name}`;
  let database: Awaited<ReturnType<typeof startLogServer>>;
  let stage: Stage;
  beforeAll(async () => {
    database = await startLogServer({ answer });
  });
  beforeEach(async () => {
    stage = await startStage({
      variables: { SUMDBS: `${log.verifierKey} ${database.url}` },
      database,
    });
    return () => stage.close();
  });
  afterAll(() => database.close());

  it('the look-up is not passed on, nor stored', async () => {
    const refused = await stage.ask(base + lookup);
    expect(summary(refused)).toMatchObject({ status: 502, cache: NO_STORE });
    expect(refused.text).not.toContain(' h1:');
    expect((await stage.bucketKeys()).filter((key) => key.includes('/lookup/'))).toEqual([]);
  });

  it.each(tiles)('the tile %s is not passed on, nor stored', async (path) => {
    const refused = await stage.ask(base + path);
    expect(summary(refused)).toMatchObject({ status: 502, cache: NO_STORE });
    expect((await stage.bucketKeys()).filter((key) => key.includes('/tile/'))).toEqual([]);
  });
});
