import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CHECKSUM_DATABASE,
  NO_CHECKSUM_DATABASE,
  PRIVATE_MODULES,
  SECOND_DATABASE_NAME,
} from '../conformance/rows/checksum-database.ts';
import { CLIENT_HEADERS } from '../conformance/rows/client-headers.ts';
import { ERROR_TEXTS } from '../conformance/rows/error-texts.ts';
import { GOOD_INPUT } from '../conformance/rows/good-input.ts';
import { HTTP_FEATURES } from '../conformance/rows/http-features.ts';
import { INVALID_FILES } from '../conformance/rows/invalid-files.ts';
import { MALFORMED_PATHS } from '../conformance/rows/malformed-paths.ts';
import { ORIGIN_ERRORS } from '../conformance/rows/origin-errors.ts';
import { SLOW_ORIGIN_LIMITS, SLOW_ORIGINS } from '../conformance/rows/slow-origins.ts';
import { UNUSUAL_PATHS } from '../conformance/rows/unusual-paths.ts';
import { goSums } from '../fakes/origin/module.ts';
import { fixtureModules, hello } from '../fakes/origin/modules.ts';
import { type FakeSumDB, fillerRecords, startSumDB } from '../fakes/sumdb/sumdb.ts';
import { findAnyGo } from '../go/go.ts';
import { type Stage, type StageOptions, startStage } from './stage.ts';
import { testRows } from './test-rows.ts';

// The rows of docs/conformance.md that are data (test/conformance), at the built Worker. Each group
// has a stage of its own, because what one stores another one would not fetch any more.

function useStage(options?: StageOptions): () => Stage {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage(options);
  });
  afterAll(() => stage.close());
  return () => stage;
}

describe('good input', () => {
  testRows(GOOD_INPUT, useStage());
});

describe('HTTP', () => {
  const stage = useStage();
  testRows(HTTP_FEATURES, stage);
  testRows(CLIENT_HEADERS, stage);
});

describe('paths', () => {
  const stage = useStage();
  testRows(MALFORMED_PATHS, stage);

  it('nothing is stored for any malformed path', async () => {
    expect(await stage().bucketKeys()).toEqual([]);
  });

  testRows(UNUSUAL_PATHS, stage);
});

describe('an origin with errors', () => {
  const stage = useStage();
  testRows(ORIGIN_ERRORS, stage);
  testRows(INVALID_FILES, stage);
  testRows(ERROR_TEXTS, stage);
});

describe('a slow origin', () => {
  testRows(SLOW_ORIGINS, useStage({ variables: SLOW_ORIGIN_LIMITS }));
});

describe('no checksum database', () => {
  testRows(NO_CHECKSUM_DATABASE, useStage());
});

const go = findAnyGo() ?? '';

describe.skipIf(go === '')('a checksum database', () => {
  let database: FakeSumDB;
  let second: FakeSumDB;
  let stage: Stage;
  beforeAll(async () => {
    const records = [...goSums(fixtureModules()), ...fillerRecords(300)];
    database = await startSumDB({ go, records });
    second = await startSumDB({ go, name: SECOND_DATABASE_NAME, records: goSums([hello()]) });
    stage = await startStage({
      variables: {
        SUMDBS: [database, second].map(({ verifierKey, url }) => `${verifierKey} ${url}`).join(','),
        PRIVATE: PRIVATE_MODULES,
      },
      database,
      others: [second],
    });
  });
  afterAll(async () => {
    await stage.close();
    await database.close();
    await second.close();
  });

  testRows(CHECKSUM_DATABASE, () => stage);
});
