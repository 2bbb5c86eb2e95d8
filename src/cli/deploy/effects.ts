import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../../effects/clock.ts';
import { type Resolver, resolveName } from '../address/resolve.ts';
import { type Visitor, visit } from '../address/visit.ts';
import { type Ask, terminalAsk } from '../terminal/ask.ts';

/** What a deployment takes from its surroundings. */
export interface DeployEffects {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where wrangler.toml is. */
  readonly root: string;
  /** Where the answers, the configuration for wrangler and its output are kept. */
  readonly directory: string;
  /** Undefined where there is no terminal. */
  readonly ask: Ask | undefined;
  readonly print: (line: string) => void;
  readonly visit: Visitor;
  readonly resolve: Resolver;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Makes a token: text without a comma and without a colon. */
  readonly random: () => string;
}

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Those of this process. */
export function processEffects(): DeployEffects {
  return {
    environment: process.env,
    root: ROOT,
    directory: resolve(process.env['STATE_DIR'] || '.modferry', 'deploy'),
    ask: terminalAsk(),
    print: (line) => console.log(line),
    visit,
    resolve: resolveName,
    clock: systemClock,
    random: () => randomBytes(24).toString('base64url'),
  };
}
