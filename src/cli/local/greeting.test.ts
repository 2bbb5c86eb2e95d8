import { expect, it } from 'vitest';
import { greeting } from './greeting.ts';

const started = {
  url: 'http://127.0.0.1:8787',
  stateDirectory: '/srv/state',
  hasBucket: true,
};

it('says where modferry listens, where it keeps its files, and what to paste', () => {
  expect(greeting(started)).toEqual([
    'modferry listens on http://127.0.0.1:8787 and keeps its files in /srv/state',
    'Paste this line:  go env -w GOPROXY=http://127.0.0.1:8787',
  ]);
});

it('says that no files are kept without a bucket', () => {
  expect(greeting({ ...started, hasBucket: false })[0]).toContain('keeps no files, because');
});
