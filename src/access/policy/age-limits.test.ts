import { expect, it } from 'vitest';
import { modulePath } from '../../../test/fakes/effects/values.ts';
import { parsePatterns } from '../../module/patterns.ts';
import { ageLimits } from './age-limits.ts';

const DAY = 86_400_000;

function patterns(text: string) {
  const parsed = parsePatterns(text);
  if (!parsed.ok) throw new Error(parsed.reason.join());
  return parsed.value;
}

it.each<[string, number | undefined, 'enforce' | 'discover', number | undefined, unknown]>([
  ['a.example', undefined, 'enforce', undefined, [undefined, undefined]],
  ['a.example', 7, 'enforce', undefined, [7, 7]],
  ['a.example', 7, 'discover', undefined, [undefined, 7]],
  ['a.example', 7, 'enforce', 3, [7, 7]],
  ['a.example', 7, 'enforce', 30, [7, 30]],
  ['a.example', 7, 'discover', 30, [undefined, 30]],
  ['a.example', undefined, 'enforce', 30, [undefined, 30]],
  ['a.example', undefined, 'discover', 30, [undefined, 30]],
  ['own.example/x', 7, 'enforce', 30, [undefined, undefined]],
  ['corp.example/x', 7, 'enforce', 30, [undefined, undefined]],
  ['golang.org/toolchain', 7, 'enforce', 30, [undefined, undefined]],
  ['golang.org/toolchain/x', 7, 'enforce', undefined, [7, 7]],
])(
  '%s with MIN_AGE of %s days in mode %s and a cooldown of %s is held to %j',
  (module, days, mode, cooldown, expected) => {
    const ms = (count: number | undefined) => count && count * DAY;
    const limitsOf = ageLimits(
      { ms: ms(days), mode, exempt: patterns('own.example') },
      patterns('*.corp.example,corp.example'),
    );
    const { explicitMs, listMs } = limitsOf(modulePath(module), ms(cooldown));
    expect([explicitMs && explicitMs / DAY, listMs && listMs / DAY]).toEqual(expected);
  },
);
