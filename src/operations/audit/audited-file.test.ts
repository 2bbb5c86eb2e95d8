import { expect, it } from 'vitest';
import { databasesOf } from '../../../test/fakes/store/audited-tree.ts';
import { createLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import { type AuditedFile, classify } from './audited-file.ts';

const databases = databasesOf(createLog({ name: 'sum.example.test' }));

it.each<[key: string, kind: AuditedFile['kind']]>([
  ['github.com/!azure/!thing/@v/v1.0.0.zip', 'zip'],
  ['example.com/hello/@v/v1.0.0.ziphash', 'ziphash'],
  ['example.com/hello/@v/v1.0.0.mod', 'mod'],
  ['example.com/hello/@v/v1.0.0.info', 'info'],
  ['example.com/hello/@v/master.info', 'query'],
  ['example.com/hello/@v/list', 'list'],
  ['example.com/hello/@latest', 'latest'],
  ['sumdb/sum.example.test/latest', 'tree head'],
  ['sumdb/sum.example.test/lookup/example.com/hello@v1.0.0', 'lookup'],
  ['sumdb/sum.example.test/tile/8/0/000.p/7', 'tile'],
  ['sumdb/other.example/lookup/example.com/hello@v1.0.0', 'other log'],
  ['example.com/hello/@v/v1.0.0.lock', 'ignored'],
  ['example.com/hello/@v/v1.0.0.zip123.tmp', 'ignored'],
  ['hosted/corp.example/tool/@v/v1.0.0.zip', 'ignored'],
  ['hosted/corp.example/tool/@v/v1.0.0.mod', 'ignored'],
  ['example.com/hello/@v/master.zip', 'unknown'],
  ['github.com/Azure/thing/@v/v1.0.0.zip', 'unknown'],
  ['sumdb/sum.example.test/supported', 'unknown'],
  ['sumdb/sum.example.test/lookup/example.com/hello%40v1.0.0', 'unknown'],
  ['README', 'unknown'],
])('%s is a file of the kind "%s"', (key, kind) => {
  expect(classify(key, databases).kind).toBe(kind);
});
