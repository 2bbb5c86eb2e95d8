import { failed, type Result, success } from '../../effects/result.ts';
import { compareVersions, parseVersion, type Version } from '../../module/version.ts';

/** What a version has to be: every bound holds. */
export type Constraint = readonly Bound[];

interface Bound {
  readonly operator: Operator;
  readonly version: Version;
}

type Operator = keyof typeof HOLDS;

/** Whether a bound holds, by how a version compares with the version of the bound. */
const HOLDS = {
  '': (order: number) => order === 0,
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
};

const FORM =
  'write whole versions such as v1.2.3, each alone or behind <, <=, > or >=, with & between them';

/** Parses `v1.2.3`, `<v1.2.3`, `<=…`, `>…` and `>=…`, joined by `&`. */
export function parseConstraint(text: string): Result<Constraint> {
  const bounds: Bound[] = [];
  for (const part of text.split('&')) {
    const [, operator, written = ''] = /^\s*([<>]=?|)\s*(.*?)\s*$/.exec(part) ?? [];
    const version = parseVersion(written);
    if (!isOperator(operator) || !version)
      return failed(`${JSON.stringify(part.trim())} is no constraint: ${FORM}`);
    bounds.push({ operator, version });
  }
  if (!isPossible(bounds)) return failed('no version meets it: write an entry for each range');
  return success(bounds);
}

/** Whether a version is within every bound. Build metadata does not count, `+incompatible` neither. */
export function meets(constraint: Constraint, version: Version): boolean {
  return constraint.every((bound) =>
    HOLDS[bound.operator](compareVersions(version, bound.version)),
  );
}

function isOperator(text: string | undefined): text is Operator {
  return text !== undefined && text in HOLDS;
}

/** Whether no lower bound lies above an upper one. */
function isPossible(bounds: readonly Bound[]): boolean {
  return bounds.every((low) =>
    bounds.every((high) => {
      const order = compareVersions(low.version, high.version);
      const isPair = !low.operator.startsWith('<') && !high.operator.startsWith('>');
      const isClosed = !/^[<>]$/.test(low.operator) && !/^[<>]$/.test(high.operator);
      return !isPair || order < 0 || (order === 0 && isClosed);
    }),
  );
}
