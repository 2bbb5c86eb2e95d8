import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { filePath, zipHash } from '../fakes/origin/module.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { ATTACKED, EVIL, OLD_GO_ATTACKS, underAttack } from '../fakes/sumdb/old-go-attacks.ts';
import { freshGoHome, type GoResult, runGo } from '../go/go.ts';
import { startModferry } from '../worker/modferry.ts';
import { GO_COMMANDS } from './go-setup.ts';

// Attacks past GOSUMDB on go commands without the fixes of 2026. Alone an old go command accepts
// the attacker's files, which shows that the attack is one. Behind modferry no go command does,
// also with VERIFY=off, where nothing but the go command compares the files.

/** The releases of GO_COMMANDS that have the fixes. The last ones came in Go 1.25.13 and 1.26.6. */
const FIXED: readonly string[] = ['1.27'];

async function download(go: string, proxy: string, gosumdb: string): Promise<GoResult> {
  const home = await freshGoHome();
  const query = `${ATTACKED.module}@${ATTACKED.version}`;
  const result = await runGo(go, ['mod', 'download', '-json', query], { home, proxy, gosumdb });
  await home.close();
  return result;
}

describe.each(GO_COMMANDS)('$name', ({ go, minor }) => {
  describe.skipIf(go === '').each(OLD_GO_ATTACKS)('$name', (attack) => {
    const { answer, log } = underAttack(attack);
    let origin: FakeOrigin;
    let database: FakeServer;
    beforeAll(async () => {
      origin = await startOrigin({ modules: fixtureModules() });
      const { module, version } = ATTACKED;
      origin.set(filePath(module, version, 'zip'), { body: EVIL.zip });
      origin.set(filePath(module, version, 'mod'), { body: EVIL.mod });
      database = await startLogServer({ answer });
    });
    afterAll(async () => {
      for (const server of [origin, database]) await server.close();
    });

    const isFixed = FIXED.includes(minor);
    it(`alone ${isFixed ? 'refuses' : 'accepts'} the files of the attacker`, async () => {
      const { code, stdout } = await download(go, origin.url, `${log.verifierKey} ${database.url}`);
      const expected = isFixed ? { code: 1 } : { code: 0, sum: zipHash(EVIL) };
      expect({ code, sum: JSON.parse(stdout).Sum }).toMatchObject(expected);
    });

    it.each(['all', 'off'])(
      'gets nothing of them behind modferry with VERIFY=%s',
      async (VERIFY) => {
        const SUMDBS = `${log.verifierKey} ${database.url}`;
        const modferry = await startModferry({
          variables: { ORIGINS: origin.url, SUMDBS, VERIFY },
        });
        const { code, stdout } = await download(go, modferry.url, log.verifierKey);
        await modferry.close();
        const { Error: text, Sum } = JSON.parse(stdout);
        const where = VERIFY === 'off' ? `/sumdb/${log.name}/lookup/` : '/@v/v1.0.0.mod';
        expect({ code, Sum, text }).toMatchObject({
          code: 1,
          text: expect.stringMatching(new RegExp(`${where}[^]*502 Bad Gateway`)),
        });
        expect(Sum).toBeUndefined();
      },
    );
  });
});
