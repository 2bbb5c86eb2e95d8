import { describe, expect, it } from 'vitest';
import { bytes, modulePath, version } from '../../../test/fakes/effects/values.ts';
import {
  clientOf,
  hash,
  hello,
  kinds,
  logOf,
  record,
  serves,
  v1,
  verifierKeyOf,
} from '../../../test/fakes/sumdb/log-client.ts';
import { type Address, fakeLogEffects } from '../../../test/fakes/sumdb/log-effects.ts';
import { createLog, type FakeLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import { parseTilePath } from '../../tlog/tile-path.ts';
import { hasHashLine } from '../../tlog/record.ts';

// Attacks on go commands that lack the fixes of 2026, by a database or by whatever answers in its
// name. The client of modferry passes nothing on with which one of them can be played.

const tile = (path: string) => {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
};

/** The hashes that the attacker wants clients to accept. */
const EVIL = record(hello, 77);

describe('CVE-2026-42501: a look-up', () => {
  const log = logOf(300);
  const only = (text: string) => {
    const own = createLog({ keyFrom: log });
    own.add(text);
    return `0\n${text}\n${own.treeHead()}`;
  };
  const toolchain = modulePath('golang.org/toolchain');
  const local = version('v0.0.1-go1.27.3.linux-amd64');

  it.each([
    ['with the record of another module', log.lookup('filler.example/m7', 'v1.0.0')],
    ['with the record of another version', only(record(hello, 1).replaceAll('v1.0.0', 'v1.0.1'))],
    ['with no hash of the zip', only(`${hello} v1.0.0/go.mod ${hash(2)}\n`)],
    ['with no hash of the go.mod', only(`${hello} v1.0.0 ${hash(1)}\n`)],
    ['with hashes of another kind', only(record(hello, 1).replaceAll('h1:', 'h2:'))],
    ['with an empty record', only('\n')],
  ])('%s is refused', async (_, body) => {
    const effects = fakeLogEffects((path) =>
      path.startsWith('/lookup/') ? body : log.answer(path),
    );
    expect(await clientOf(log, effects).lookup(hello, v1)).toMatchObject({ kind: 'failed' });
  });

  it('of a toolchain with the record of a module is refused', async () => {
    const effects = fakeLogEffects((path) =>
      path.startsWith('/lookup/') ? log.lookup(hello, 'v1.0.0') : log.answer(path),
    );
    expect(await clientOf(log, effects).lookup(toolchain, local)).toMatchObject({
      kind: 'failed',
    });
  });
});

describe('CVE-2026-56864: a look-up with hashes outside of its record', () => {
  const log = logOf(300);
  const right = log.lookup(hello, 'v1.0.0');
  const head = `go.sum database tree\n300\n${Buffer.from(log.treeHash()).toString('base64')}\n`;
  const withHead = (text: string, of = right) =>
    `${of.slice(0, of.indexOf('\n\n') + 2)}${log.sign(text)}`;
  const other = log.lookup('filler.example/m7', 'v1.0.0');
  const inSignatures = (line: string) => `${right}${line}`;
  const zipLine = EVIL.split('\n', 1)[0] ?? '';

  it('is accepted with a signed tree head of more lines, which are none', async () => {
    const extended = withHead(`${head}an extension of h1:x\nlater versions\n`);
    const effects = fakeLogEffects((path) =>
      path.startsWith('/lookup/') ? extended : log.answer(path),
    );
    expect(await clientOf(log, effects).lookup(hello, v1)).toMatchObject({ kind: 'proven' });
  });

  it.each([
    ['in the signed tree head', withHead(`${head}${EVIL}`)],
    ['in the signed tree head, after a blank line', withHead(`${head}\n${EVIL}`)],
    ['in the signed tree head, of another record', withHead(`${head}${EVIL}`, other)],
    ['in the signed tree head, of the go.mod alone', withHead(`${head}${EVIL.split('\n')[1]}\n`)],
    ['in the signed tree head, of another module', withHead(`${head}${record('a.example/b', 7)}`)],
    ['among the signatures', inSignatures(EVIL)],
    ['after the signatures', inSignatures(`\n${EVIL}`)],
    ['as the name of a signer', inSignatures(`\u2014 ${zipLine}\n`)],
    ['before the signatures', right.replace('\n\u2014', `\n${EVIL}\u2014`)],
    ['between record and tree head', right.replace('\n\n', `\n\n${EVIL}\n`)],
    ['before the id', `${EVIL}${right}`],
    ['beside the id', right.replace('\n', ` ${EVIL}`)],
    ['after a carriage return in the tree head', withHead(`${head}\r${EVIL}`)],
    ['after a carriage return behind it all', inSignatures(`\r${EVIL}`)],
    ['that end in carriage returns', withHead(`${head}${EVIL.replaceAll('\n', '\r\n')}`)],
    ['after a null', inSignatures(`\0\n${EVIL}`)],
  ])('%s is refused', async (_, body) => {
    const effects = fakeLogEffects((path) =>
      path.startsWith('/lookup/') ? body : log.answer(path),
    );
    expect(await clientOf(log, effects).lookup(hello, v1)).toMatchObject({ kind: 'failed' });
    expect(await clientOf(log, effects).proveStoredLookup(bytes(body), hello, v1)).toMatchObject({
      kind: 'refuted',
    });
  });

  it('that the database has signed is reported', async () => {
    const effects = fakeLogEffects((path) =>
      path.startsWith('/lookup/') ? withHead(`${head}${EVIL}`) : log.answer(path),
    );
    await clientOf(log, effects).lookup(hello, v1);
    expect(kinds(effects)).toEqual(['forged']);
  });

  it.each([
    ['example.com/hello v1.0.0 h1:abc', true],
    ['a\nexample.com/hello v1.0.0/go.mod h1:abc\nb\n', true],
    ['example.com/hello v1.0.0', false],
    ['\u2014 sum.golang.org Az3grh1abc=', false],
    ['an extension of later versions h1:abc', false],
  ])('%j has such a line: %s', (text, has) => {
    expect(hasHashLine(text)).toBe(has);
  });
});

/** The same log but for one record: its tiles fit together, and not the signed tree head. */
const forgedOf = (log: FakeLog, at: number) => {
  const forged = createLog({ keyFrom: log });
  for (let id = 0; id < log.size; id++)
    forged.add(id === at ? EVIL : record(`filler.example/m${id}`, id % 200));
  return forged;
};
/** A log with the record of hello at one place. */
const honest = (size: number, at: number) => {
  const log = createLog();
  for (let id = 0; id < size; id++)
    log.add(record(id === at ? hello : `filler.example/m${id}`, id === at ? 1 : id % 200));
  return log;
};

describe('CVE-2026-56865: forged tiles', () => {
  // x/mod before 0.40.0 compared the tiles with their parents from the number of subtrees on, where
  // it had to begin with the number of tiles at the right edge: 300 records are 4 subtrees in 2
  // tiles, 66,000 are 5 in 3.
  it.each([
    [300, ['tile/8/0/000']],
    [66_000, ['tile/8/1/000', 'tile/8/0/000']],
  ])('of a tree of %i records are refused, and so is the look-up', async (size, hidden) => {
    const log = honest(size, 3);
    const forged = forgedOf(log, 3);
    const isHidden = (path: string) => hidden.includes(path.slice(1));
    const evil: Address = (path) => {
      if (path.startsWith('/lookup/')) return `3\n${EVIL}\n${log.treeHead()}`;
      return (isHidden(path) ? forged : log).answer(path);
    };
    const effects = fakeLogEffects(evil);
    expect(await clientOf(log, effects).lookup(hello, v1)).toMatchObject({ kind: 'failed' });
    for (const path of hidden) {
      const parts = [path, `${path}.p/4`].filter((one) => one !== 'tile/8/1/000.p/4');
      for (const one of parts)
        expect(await clientOf(log, effects).tile(tile(one))).toMatchObject({ kind: 'failed' });
    }
    expect([...effects.cache.keys()]).toEqual([]);
    expect(await clientOf(log, fakeLogEffects(evil, serves(log))).lookup(hello, v1)).toMatchObject({
      kind: 'proven',
      value: { zip: hash(1) },
    });
  });
});

describe('CVE-2026-56865: a tile beyond the known tree', () => {
  const log = logOf(600);
  const PATHS = ['tile/8/0/002.p/88', 'tile/8/0/001', 'tile/8/data/002.p/88', 'tile/8/1/000.p/2'];
  /** The address of a database that shows the tree of that size, and has all tiles. */
  const showing =
    (size: number): Address =>
    (path) =>
      path === '/latest' ? log.treeHead(size) : log.answer(path);
  const right = (path: string) => ({
    kind: 'proven',
    value: new Uint8Array(Buffer.from(log.answer(`/${path}`) ?? '')),
  });

  it.each(PATHS)('%s is proven in the newer one of the database', async (path) => {
    const effects = fakeLogEffects(serves(log));
    effects.latest = bytes(log.treeHead(300));
    expect(await clientOf(log, effects).tile(tile(path))).toMatchObject(right(path));
  });

  it.each(PATHS)('%s is proven in that of another address', async (path) => {
    const effects = fakeLogEffects(showing(300), showing(300), showing(600));
    effects.latest = bytes(log.treeHead(300));
    expect(await clientOf(log, effects).tile(tile(path))).toMatchObject(right(path));
    expect(kinds(effects)).toEqual([]);
  });

  it.each(PATHS)('%s is proven in that which other isolates have seen', async (path) => {
    const effects = fakeLogEffects(showing(300));
    const client = clientOf(log, effects);
    await client.latest();
    effects.latest = bytes(log.treeHead());
    expect(await client.tile(tile(path))).toMatchObject(right(path));
    expect(effects.requests().filter((url) => url.endsWith('/latest')).length).toBe(1);
  });

  it.each(PATHS)('%s is missing where no address shows it, and is not asked for', async (path) => {
    const effects = fakeLogEffects(showing(300), showing(300));
    effects.latest = bytes(log.treeHead(300));
    expect(await clientOf(log, effects).tile(tile(path))).toMatchObject({
      kind: 'missing',
      missing: { status: 404, text: 'no tree head of the log reaches it' },
      isUnanimous: false,
      effort: { attempts: 2 },
    });
    expect(effects.requests().map((url) => new URL(url).pathname)).toEqual(['/latest', '/latest']);
  });

  it('is a failure, and not missing, where an address cannot be asked', async () => {
    const effects = fakeLogEffects(showing(300), () => {
      throw new TypeError('refused');
    });
    expect(await clientOf(log, effects).tile(tile('tile/8/0/001'))).toMatchObject({
      kind: 'failed',
      failures: [{ origin: 'b' }],
    });
  });

  it('is searched for once in a request', async () => {
    const effects = fakeLogEffects(showing(300));
    const client = clientOf(log, effects);
    for (const path of PATHS) await client.tile(tile(path));
    expect(await client.isStoredTileProven(tile('tile/8/0/001'), new Uint8Array(8192))).toBe(false);
    expect(effects.requests()).toEqual(['https://a/latest']);
  });

  it('of the tree of another key is refused', async () => {
    const stranger = logOf(900, { name: log.name });
    const effects = fakeLogEffects(serves(stranger));
    effects.latest = bytes(log.treeHead(300));
    expect(verifierKeyOf(stranger)).not.toEqual(verifierKeyOf(log));
    expect(await clientOf(log, effects).tile(tile('tile/8/0/002'))).toMatchObject({
      kind: 'failed',
    });
  });
});
