import { expect, it } from 'vitest';
import { namedModule, parseModuleRequest } from './request.ts';

it.each([
  ['/example.com/hello/@v/list', { kind: 'list', module: 'example.com/hello' }],
  ['/example.com/hello/@latest', { kind: 'latest', module: 'example.com/hello' }],
  [
    '/example.com/hello/@v/v1.0.0.info',
    { kind: 'info', module: 'example.com/hello', version: 'v1.0.0' },
  ],
  [
    '/example.com/hello/@v/v1.0.0.mod',
    { kind: 'mod', module: 'example.com/hello', version: 'v1.0.0' },
  ],
  [
    '/example.com/hello/@v/v1.0.0.zip',
    { kind: 'zip', module: 'example.com/hello', version: 'v1.0.0' },
  ],
  [
    '/example.com/hello/@v/main.info',
    { kind: 'query', module: 'example.com/hello', query: 'main' },
  ],
  [
    '/example.com/hello/@v/!main.info',
    { kind: 'query', module: 'example.com/hello', query: 'Main' },
  ],
  // v3 may be answered with v3.0.0+incompatible: that answer can change
  [
    '/example.com/hello/@v/v3.0.0.info',
    { kind: 'query', module: 'example.com/hello', query: 'v3.0.0' },
  ],
  [
    '/example.com/hello/v3/@v/v3.0.0.info',
    { kind: 'info', module: 'example.com/hello/v3', version: 'v3.0.0' },
  ],
  [
    '/github.com/!azure/x/@v/v1.0.0-!r!c1.mod',
    { kind: 'mod', module: 'github.com/Azure/x', version: 'v1.0.0-RC1' },
  ],
  ['/github.com/%21azure/x/@v/list', { kind: 'list', module: 'github.com/Azure/x' }],
  [
    '/example.com/legacy/@v/v3.0.0%2Bincompatible.zip',
    { kind: 'zip', module: 'example.com/legacy', version: 'v3.0.0+incompatible' },
  ],
])('%s is %j', (path, request) => {
  expect(parseModuleRequest(path)).toEqual({ ok: true, value: request });
});

it.each([
  '',
  '/',
  '/@v/list',
  '/example.com/hello',
  '/example.com/hello/@v/',
  '/example.com/hello/@v/.info',
  '/example.com/hello/@v/v1.0.0',
  '/example.com/hello/@v/v1.0.0.ziphash',
  '/example.com/hello/@v/v1.0.0.info/',
  '/example.com/hello/@v/a/b.info',
  '/example.com/hello/@v/..%2f..%2fx.info',
  '/example.com/hello/@v/latest.info',
  '/example.com/hello/@v/upgrade.info',
  '/example.com/hello/@v/patch.info',
  '/example.com/hello/@v/main.mod',
  '/example.com/hello/@v/v1.zip',
  '/example.com/hello/@v/v3.0.0.mod',
  '/example.com/hello/v2/@v/v1.0.0.zip',
  '/github.com/Azure/x/@v/list',
  '/../x/@v/list',
  '/example.com/../x/@v/list',
  '/example.com//x/@v/list',
  '/example.com/%zz/@v/list',
  '/example.com/%00/@v/list',
  '/example.com/hello/@v/LIST',
])('%j is no request of a module proxy, and the result says why', (path) => {
  const request = parseModuleRequest(path);
  expect(request.ok).toBe(false);
  expect(!request.ok && request.reason.length).toBeGreaterThan(5);
});

it.each([
  ['/corp.example/tool/@v/list', 'corp.example/tool'],
  ['/corp.example/tool/@v/v1.0.0.nonsense', 'corp.example/tool'],
  ['/corp.example/tool', 'corp.example/tool'],
  ['//corp.example//tool/', 'corp.example/tool'],
  ['/corp%2Eexample/tool/@v/', 'corp.example/tool'],
  ['/corp.example/!tool/@latest', 'corp.example/Tool'],
  ['/corp.example/Tool/@latest', 'corp.example/Tool'],
  ['/corp.example/!!/@v/list', 'corp.example/!!'],
  ['/corp.example/%zz', 'corp.example/%zz'],
  ['/', ''],
])('%j names the module %j', (path, module) => {
  expect(namedModule(path)).toBe(module);
});
