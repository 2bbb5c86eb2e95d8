import { resolve4, resolve6, resolveCname } from 'node:dns/promises';
import { failed, type Result, success } from '../../effects/result.ts';
import { hasCode, messageOf } from '../terminal/message.ts';

/** What a name resolves to: none where it does not. Fails where DNS gives no answer. */
export type Resolver = (host: string) => Promise<Result<readonly string[]>>;

/** Asks the name servers of this machine for the A, AAAA and CNAME records of a name. */
export const resolveName: Resolver = async (host) => {
  const found: string[] = [];
  for (const ask of [resolveCname, resolve4, resolve6]) {
    try {
      found.push(...(await ask(host)));
    } catch (error) {
      // A CNAME whose own target is absent is an answer too: it was asked for first.
      if (!hasCode(error, 'ENOTFOUND') && !hasCode(error, 'ENODATA')) {
        return found.length > 0 ? success(found) : failed(messageOf(error));
      }
    }
  }
  return success(found);
};
