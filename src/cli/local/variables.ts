import { VARIABLE_NAMES } from '../../config/config.ts';
import { secretNames } from '../../config/origins-syntax.ts';
import type { Variables } from '../../config/variables.ts';
import { readSettings } from './read-settings.ts';

/** The variables of wrangler.toml, each overridden by an environment variable of the same name. */
export async function localVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Variables> {
  const { variables } = await readSettings();
  const known = Object.fromEntries(
    VARIABLE_NAMES.flatMap((name) => {
      const value = environment[name] ?? variables[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const secrets = secretNames(known['ORIGINS']).flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...known, ...Object.fromEntries(secrets) };
}
