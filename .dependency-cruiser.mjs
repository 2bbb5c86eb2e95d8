/**
 * The rooms of src/ in rings: a room imports, types included, from rooms of lower rings only, and
 * from those of its own ring that its row names. `npm run lint` holds the code to this table;
 * docs/decisions/016 explains it.
 */
const RINGS = [
  {
    effects: [],
    bytes: ['effects'],
    module: ['effects'],
    tlog: ['effects', 'bytes'],
    zip: ['effects', 'bytes', 'module'],
  },
  { store: [], origins: [] },
  { mirror: [] },
  { sumdb: [], goproxy: ['sumdb'], hosted: ['goproxy'] },
  { access: [], telemetry: ['access', 'operations'], status: [], operations: ['status'] },
  { config: [] },
  { http: [], cron: [], platform: [] },
  { modferry: [] },
  { 'warm-up': [] },
  { worker: [], cli: [] },
];

/**
 * Packages that one room alone may import. Whatever is not listed here is imported nowhere in
 * src/.
 */
const PACKAGES = [
  { package: 'hono', rooms: ['http'] },
  {
    package: 'valibot',
    rooms: [
      'config',
      'store',
      'origins',
      'operations',
      'cron',
      'platform',
      'cli',
      'access',
      'http',
    ],
  },
  { package: '@cloudflare/workers-types', rooms: ['platform/cloudflare', 'worker'] },
  { package: 'miniflare|smol-toml|commander', rooms: ['cli'] },
];

/** A room as a pattern of paths: a folder, or one file at the top. */
const path = (room) => `^src/${room}(/|[.]ts$)`;

const anyOf = (rooms) => rooms.map(path).join('|');

const arrows = RINGS.flatMap((ring, level) =>
  Object.entries(ring).map(([room, siblings]) => {
    const lower = RINGS.slice(0, level).flatMap(Object.keys);
    return {
      name: `${room}-imports-lower-rings`,
      comment: `${room}/ may import only ${[...lower, ...siblings].join(', ') || 'nothing'}`,
      severity: 'error',
      from: { path: path(room), pathNot: '[.]test[.]ts$' },
      to: { path: '^src/', pathNot: anyOf([room, ...lower, ...siblings]) },
    };
  }),
);

const packages = PACKAGES.map(({ package: name, rooms }) => ({
  name: `only-${rooms[0].replace('/', '-')}-imports-${name.replace(/[^a-z]/g, '-')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `[.]test[.]ts$|${anyOf(rooms)}` },
  to: { path: `^(node_modules/)?(${name})(/|$)` },
}));

export default {
  forbidden: [
    ...arrows,
    ...packages,
    {
      name: 'no-circle',
      comment: 'Files must not import each other in a circle, types included.',
      severity: 'error',
      from: { path: '^(src|test)/' },
      to: { circular: true },
    },
    {
      name: 'no-unknown-room',
      comment: 'Every file of src/ belongs to a room of the table.',
      severity: 'error',
      from: { path: '^src/', pathNot: `[.](test|d)[.]ts$|${anyOf(RINGS.flatMap(Object.keys))}` },
      to: {},
    },
    {
      name: 'no-node-in-the-core',
      comment:
        'Only cli/ and platform/node/ run in Node; two modules of it are native code that workerd has too.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '[.]test[.]ts$|^src/(cli|platform/node)/|^src/bytes/sha256[.]ts$|^src/zip/read/(inflate|entry-content)[.]ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-tests-in-src',
      comment: 'No code of src/ imports a test or a fake.',
      severity: 'error',
      from: { path: '^src/', pathNot: '[.]test[.]ts$' },
      to: { path: '^test/|[.]test[.]ts$' },
    },
    {
      name: 'no-orphan',
      comment: 'A file that nothing imports is dead, unless it is an entry or a test.',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: '[.](test|d)[.]ts$|^src/worker[.]ts$|^src/cli/',
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.d.ts', '.js', '.mjs', '.json'] },
  },
};
