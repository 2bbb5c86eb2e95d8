/**
 * Attacks that go commands without the fixes of 2026 fall for. Each one makes a go command accept
 * the files of `EVIL` for a version, although the log has the hashes of others or none at all.
 *
 * - CVE-2026-42501 (fixed in Go 1.25.10 and 1.26.3): a look-up that has no line for the version
 *   counts as one that has the right line.
 * - CVE-2026-56864 (1.25.13 and 1.26.6): lines of hashes are taken from the whole look-up, so also
 *   from the tree head, which the database signs and the log does not contain.
 * - CVE-2026-56865 (1.25.13 and 1.26.6): up to two of the tiles that prove a record are not
 *   compared with the tiles above them.
 */
import { goSum, goSums, makeVersion } from '../origin/module.ts';
import { fixtureModules } from '../origin/modules.ts';
import { fillerRecords } from './sumdb.ts';
import { createLog, type FakeLog } from './transparency-log.ts';

export const ATTACKED = { module: 'example.com/dep', version: 'v1.0.0' } as const;

/** What the attacker wants every client to have. */
export const EVIL = makeVersion(ATTACKED.module, ATTACKED.version, {
  'go.mod': `module ${ATTACKED.module}\n`,
  'dep.go': 'package evil\n',
});

/**
 * 300 records are four subtrees, 256, 32, 8 and 4, in two tiles: where a go command has the fault of
 * CVE-2026-56865, it does not compare the third and the fourth tile of a proof.
 */
const RECORDS = [...goSums(fixtureModules()), ...fillerRecords(300)].slice(0, 300);

const LOOKUP = `/lookup/${ATTACKED.module}@${ATTACKED.version}`;
const EVIL_LINES = goSum(ATTACKED.module, ATTACKED.version, EVIL);

export interface OldGoAttack {
  readonly name: string;
  /** The answers of the database, or of whatever answers in its name. */
  readonly attack: (log: FakeLog) => FakeLog['answer'];
  /** The tiles that are forged besides the look-up. */
  readonly tiles: readonly string[];
}

/** A log with the attack on it, which is the same in every run but for its key. */
export function underAttack({ attack, tiles }: OldGoAttack) {
  const log = createLog();
  for (const lines of RECORDS) log.add(lines);
  return { log, answer: attack(log), lookup: LOOKUP, tiles };
}

export const OLD_GO_ATTACKS: readonly OldGoAttack[] = [
  {
    name: 'CVE-2026-42501: another record',
    attack: (log) => (path) =>
      log.answer(path === LOOKUP ? '/lookup/filler.example/m@v0.0.7' : path),
    tiles: [],
  },
  {
    name: 'CVE-2026-56864: hashes in the tree head',
    attack: (log) => (path) => {
      if (path !== LOOKUP) return log.answer(path);
      const [record = ''] = log.lookup('filler.example/m', 'v0.0.7').split('\n\n', 1);
      const hash = Buffer.from(log.treeHash()).toString('base64');
      const head = `go.sum database tree\n${log.size}\n${hash}\n${EVIL_LINES}`;
      return `${record}\n\n${log.sign(head)}`;
    },
    tiles: [],
  },
  {
    name: 'CVE-2026-56865: a forged tile',
    attack(log) {
      const id = Number.parseInt(log.lookup(ATTACKED.module, ATTACKED.version), 10);
      const forged = createLog({ keyFrom: log });
      for (const [at, lines] of RECORDS.entries()) forged.add(at === id ? EVIL_LINES : lines);
      return (path) => {
        if (path === LOOKUP) return `${id}\n${EVIL_LINES}\n${log.treeHead()}`;
        return (path.startsWith('/tile/8/0/000') ? forged : log).answer(path);
      };
    },
    tiles: ['/tile/8/0/000', '/tile/8/0/000.p/9'],
  },
];
