import { hashPairsNatively } from '../../src/tlog/hash-tile.ts';
import { warmUp } from '../../src/warm-up/warm-up.ts';

/** How the warm-up at the start of this Worker ended. */
let end = 'it still runs';
warmUp(hashPairsNatively).then(
  () => (end = 'it is done'),
  (error: unknown) => (end = String(error)),
);
/** What was known before the first request. */
let atFirst: string | undefined;

export default {
  fetch(): Response {
    atFirst ??= end;
    return new Response(atFirst);
  },
};
