import { describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import {
  a,
  after,
  b,
  broken,
  no,
  ok,
  type Reply,
  Scene,
} from '../../../test/fakes/effects/race-scene.ts';
import { modulePath } from '../../../test/fakes/effects/values.ts';
import { parsePatterns } from '../../module/patterns.ts';
import { originsFor } from './order.ts';

// The origins of a private module, of which none is a mirror of another.

const patterns = parsePatterns('corp.example');
const modules = patterns.ok ? patterns.value : [];
const configured = [a, b].map(({ name }) => originOf(name, { modules }));
const origins = originsFor(configured, modulePath('corp.example/x'), { isPrivate: true });

const refuses: Reply = () => new Response('policy', { status: 403 });

async function ask(replies: Readonly<Record<string, Reply>>, at = new Scene()) {
  at.ask(replies, { origins });
  await at.clock.advance(2_000);
  return at;
}

describe('the origins of a private module', () => {
  it.each<[string, Readonly<Record<string, Reply>>, asked: string, answer: object]>([
    ['the first one has it', { a: ok, b: ok }, 'a', { kind: 'accepted', origin: 'a' }],
    ['the first one says 404', { a: no, b: ok }, 'ab', { kind: 'accepted', origin: 'b' }],
    ['all say 404', { a: no, b: no }, 'ab', { kind: 'missing', isUnanimous: true }],
    ['the first one fails', { a: broken, b: ok }, 'aab', { kind: 'accepted', origin: 'b' }],
    ['the first one fails, the next says 404', { a: broken, b: no }, 'aab', { kind: 'failed' }],
    ['the first one says 404, the next fails', { a: no, b: broken }, 'abb', { kind: 'failed' }],
    ['the first one refuses', { a: refuses, b: ok }, 'a', { kind: 'missing' }],
    ['the first one fails, the next refuses', { a: broken, b: refuses }, 'aab', { kind: 'failed' }],
  ])('when %s', async (_, replies, asked, answer) => {
    const at = await ask(replies);
    expect([at.asked, at.answer]).toEqual([asked, expect.objectContaining(answer)]);
  });

  it('are asked in their order, however slow or suspect the first one is', async () => {
    const at = new Scene();
    at.history(a, 900);
    at.history(b, 1);
    at.fail(a, 2);
    await ask({ a: ok, b: ok }, at);
    expect(at.asked).toBe('a');
  });

  it('are not hedged: nobody else is asked while the first one is slow', async () => {
    const at = new Scene();
    at.history(a, 1);
    at.ask({ a: after(at.clock, 9_000, ok), b: ok }, { origins });
    await at.clock.advance(8_000);
    expect([at.asked, at.answer]).toEqual(['a', undefined]);
    await at.clock.advance(2_000);
    expect([at.asked, at.answer]).toEqual(['a', expect.objectContaining({ origin: 'a' })]);
  });
});
