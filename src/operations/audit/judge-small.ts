import type { Result } from '../../effects/result.ts';
import { checkInfo, checkList, checkMod } from '../../goproxy/check-answer.ts';
import type { Version } from '../../module/version.ts';
import { type FailureReason, failureText } from '../../origins/failure.ts';
import type { Expected } from '../../sumdb/checksums.ts';
import type { Proof } from '../../sumdb/log/proof.ts';
import { openHead } from '../../sumdb/log/signed-head.ts';
import { hashMod } from '../../zip/hash/hash-mod.ts';
import { loggedHash } from './logged-hash.ts';
import type { StoredLog } from './stored-log.ts';
import { type Judgement, RIGHT, UNCOVERED, wrong } from './verdict.ts';

/** A go.mod: by its hash in the log; without one it must at least have the form of a go.mod. */
export function judgeMod(bytes: Uint8Array, expected: Expected): Judgement {
  const logged = loggedHash(expected, 'mod');
  if (logged.kind === 'none') {
    return judgeForm(checkMod(bytes), {
      expected: 'a go.mod',
      otherwise: { ...UNCOVERED, ...logged.why },
    });
  }
  const found = hashMod(bytes);
  return found === logged.h1
    ? RIGHT
    : wrong({ expected: logged.h1, found, source: logged.database });
}

/** The `.info` of a canonical version, which no database signs: it must name that version. */
export function judgeInfo(bytes: Uint8Array, version: Version): Judgement {
  return judgeForm(checkInfo(bytes, version), { expected: `JSON that names ${version}` });
}

/** Files that change: only what every one of them has can be asked of them. */
export function judgeMutable(bytes: Uint8Array, kind: 'list' | 'latest' | 'query'): Judgement {
  return kind === 'list'
    ? judgeForm(checkList(bytes), { expected: 'a list of versions' })
    : judgeForm(checkInfo(bytes), { expected: 'JSON that names a version' });
}

function judgeForm(
  checked: Result<unknown, FailureReason>,
  {
    expected,
    otherwise = UNCOVERED,
  }: { readonly expected: string; readonly otherwise?: Judgement },
): Judgement {
  if (checked.ok) return otherwise;
  return wrong({ expected, found: failureText(checked.reason), source: 'its form' });
}

/** A stored look-up, by the proof that its record is in the log. */
export function judgeLookup(proof: Proof<unknown>, { name }: StoredLog): Judgement {
  if (proof.kind === 'proven') return RIGHT;
  const { evidence, kind, reason } = proof;
  if (kind === 'unproven') return { verdict: 'uncovered', unasked: reason };
  return wrong({
    expected: 'a record of this version in the log',
    found: reason,
    source: name,
    ...(evidence?.kind === 'fork' ? { proof: evidence.proof } : {}),
  });
}

/**
 * The stored tree head: signed by the database, and one log with every other stored one as far as
 * tiles tell.
 */
export async function judgeTreeHead(bytes: Uint8Array, log: StoredLog): Promise<Judgement> {
  const { key, name } = log.database;
  const opened = await openHead(bytes, { key, path: 'latest' });
  if (opened.kind !== 'proven') {
    return wrong({
      expected: `a tree head signed by ${name}`,
      found: 'a note that is none',
      source: `the key of ${name}`,
    });
  }
  const proof = await log.proveHead(opened.value);
  return proof.kind === 'refuted' ? judgeLookup(proof, log) : RIGHT;
}
