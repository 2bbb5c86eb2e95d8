import { expect, it } from 'vitest';
import { count, countOther, startProgress } from './progress.ts';
import { reportOf, reportText } from './report.ts';
import { RIGHT, wrong } from './verdict.ts';

function progress() {
  const made = startProgress('x');
  made.files = 4;
  made.bytes = 12_345_678;
  count(made, { key: 'a/@v/v1.0.0.mod', kind: 'mod', judgement: RIGHT });
  count(made, {
    key: 'p/@v/v1.0.0.mod',
    kind: 'mod',
    judgement: { verdict: 'uncovered', unasked: 'no answer' },
  });
  const judgement = wrong({ expected: 'h1:a', found: 'h1:b\u001b[2J', source: 'sum.golang.org' });
  count(made, {
    key: 'a/@v/v1.0.0.zip',
    kind: 'zip',
    judgement,
    removes: ['a/@v/v1.0.0.zip', 'a/@v/v1.0.0.ziphash'],
  });
  countOther(made, 'a\nb', 'unknown');
  countOther(made, 'a/@v/v1.0.0.lock', 'ignored');
  return made;
}

const options = { tree: '/srv', online: false, remedy: () => 'rm it' };

it('the report has what is wrong, the source of the expectation and what to paste, and no control characters', () => {
  expect(reportText(reportOf(progress(), { ...options, fixed: false }))).toMatchInlineSnapshot(`
    "/srv: 4 files, 12.3 MB

                    right     marked  uncovered      wrong
    zip                 0          0          0          1
    mod                 1          0          1          0

    The checksum databases could not be consulted on 1 file; --online asks them (the first time: no answer)
    1 lock or temporary file of the go command, ignored
    1 file that neither modferry nor the go command has put there:
      a�b

    1 file is wrong:

      a/@v/v1.0.0.zip
        expected  h1:a (sum.golang.org)
        found     h1:b�[2J
        remedy    rm it
    "
  `);
});

it('the report of a fix says what was removed and what was left, and the remedy is gone', () => {
  const made = progress();
  const [finding] = made.findings;
  if (finding) made.findings[0] = { ...finding, isRemoved: true };
  const text = reportText(reportOf(made, { ...options, fixed: true }));
  expect(text).toContain('1 file is wrong, and removed:');
  expect(text).not.toContain('rm it');
  const judgement = wrong({ expected: 'a go.mod', found: 'none', source: 'its form' });
  count(made, { key: 'b/@v/v1.0.0.mod', kind: 'mod', judgement });
  const both = reportText(reportOf(made, { ...options, fixed: true }));
  expect(both).toContain('2 files are wrong, and 1 removed:');
  expect(both).toMatch(/found {5}none\n {4}left {6}it was replaced or removed since\n$/);
});

it('names a hundred unknown files, and counts the others', () => {
  const made = startProgress('x');
  for (let at = 0; at < 103; at++) countOther(made, `unknown-${at}`, 'unknown');
  const text = reportText(reportOf(made, { ...options, fixed: false }));
  expect(text.match(/unknown-/g)).toHaveLength(100);
  expect(text).toContain('  and 3 more\n');
  expect(text).toContain('Nothing is wrong');
});
