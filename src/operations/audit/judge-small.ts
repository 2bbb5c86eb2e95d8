import { checkInfo, checkList, checkMod } from '../../goproxy/check-answer.ts';
import type { Expected } from '../../mirror/verification.ts';
import type { Version } from '../../module/version.ts';
import { BadAnswer } from '../../origins/origin.ts';
import type { Database } from '../../sumdb/database.ts';
import { hashMod } from '../../zip/hash/hash-mod.ts';
import { logWord } from './log-word.ts';
import type { Proof, StoredLog } from './stored-log.ts';
import { openHead } from './survey.ts';
import { type Judgement, RIGHT, UNCOVERED, wrong } from './verdict.ts';

/** A go.mod: by its hash in the log; where there is none it must at least be a go.mod. */
export function judgeMod(bytes: Uint8Array, expected: Expected): Judgement {
  const word = logWord(expected, 'mod');
  if (word.kind === 'none') {
    return judgeForm(() => checkMod(bytes), {
      expected: 'a go.mod',
      otherwise: { ...UNCOVERED, ...word.why },
    });
  }
  const found = hashMod(bytes);
  return found === word.h1 ? RIGHT : wrong({ expected: word.h1, found, source: word.database });
}

/** The `.info` of a canonical version, which nobody signs: it must name that version. */
export function judgeInfo(bytes: Uint8Array, version: Version): Judgement {
  return judgeForm(() => checkInfo(bytes, version), { expected: `JSON that names ${version}` });
}

/** Files that change: only what every one of them has can be asked of them. */
export function judgeMutable(bytes: Uint8Array, kind: 'list' | 'latest' | 'query'): Judgement {
  return kind === 'list'
    ? judgeForm(() => checkList(bytes), { expected: 'a list of versions' })
    : judgeForm(() => checkInfo(bytes), { expected: 'JSON that names a version' });
}

function judgeForm(
  check: () => void,
  {
    expected,
    otherwise = UNCOVERED,
  }: { readonly expected: string; readonly otherwise?: Judgement },
): Judgement {
  try {
    check();
    return otherwise;
  } catch (error) {
    if (error instanceof BadAnswer)
      return wrong({ expected, found: error.message, source: 'its form' });
    throw error;
  }
}

/** A stored lookup, by the proof that its record is in the log. */
export function judgeLookup(proof: Proof<unknown>, { name }: Database): Judgement {
  if (proof.kind === 'proven') return RIGHT;
  if (proof.kind === 'unproven') return { verdict: 'uncovered', unasked: proof.reason };
  return wrong({
    expected: 'a record of this version in the log',
    found: proof.reason,
    source: name,
    ...(proof.proof === undefined ? {} : { proof: proof.proof }),
  });
}

/**
 * The stored tree head: signed by the database, and one log with every other stored one as far as
 * tiles tell.
 */
export async function judgeTreeHead(
  bytes: Uint8Array,
  { database, log }: { readonly database: Database; readonly log: StoredLog },
): Promise<Judgement> {
  const expected = `a tree head signed by ${database.name}`;
  const source = `the key of ${database.name}`;
  if (!(await openHead(bytes, database)))
    return wrong({ expected, found: 'a note that is none', source });
  const { kind, ...facts } = await log.proveHead(bytes);
  if (kind !== 'refuted') return RIGHT;
  return judgeLookup({ kind, reason: '', ...facts }, database);
}
