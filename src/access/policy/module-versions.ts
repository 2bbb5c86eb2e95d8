import { chooseLatest, isWrittenGoMod } from '../../goproxy/choose-latest.ts';
import { bodyOf, dropBody } from '../../goproxy/found-body.ts';
import type { ModuleRequest } from '../../goproxy/request.ts';
import type { Outcome } from '../../mirror/outcome.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { MAX_UNHELD_BYTES } from '../../store/contract.ts';
import type { Ages } from './age.ts';
import type { PolicyContext } from './context.ts';
import type { VersionVerdict } from './judge.ts';
import { type Retraction, retractionsOf, withoutRetracted } from './retract.ts';
import { ageText, groundText } from './texts.ts';

export interface ModuleOptions {
  readonly module: ModulePath;
  readonly context: Pick<PolicyContext, 'emit' | 'mayFetch'>;
  /** What the rules say of a version. */
  readonly verdictOf: (version: Version) => VersionVerdict;
  readonly ages: Ages;
  /** Versions younger than this are left out, in milliseconds. Undefined: none are. */
  readonly listMs: number | undefined;
  /** Asks for a file, whatever the policy says. */
  readonly ask: (request: ModuleRequest) => Promise<Outcome>;
}

/** The versions of a list, and whether the age of none that is left out is unknown. */
export interface Listed {
  readonly versions: readonly Version[];
  readonly isComplete: boolean;
}

/** A version that `latest` means, or why there is none. */
export type Choice =
  | { readonly kind: 'version'; readonly version: Version }
  | { readonly kind: 'none'; readonly why: string };

/**
 * How many ages are looked up one by one for @latest, from the highest version down. The rest are
 * looked up like those of a list.
 */
const MAX_STEPS = 4;

/** The versions of a module, as the policy of a request leaves them. */
export class ModuleVersions {
  readonly #options: ModuleOptions;

  constructor(options: ModuleOptions) {
    this.#options = options;
  }

  /** Why the rules refuse a version; undefined where they do not. */
  refusedByRules(version: Version): string | undefined {
    const { by, isRefused } = this.#options.verdictOf(version);
    return isRefused && by ? groundText(by) : undefined;
  }

  /** Why a version is too young for `minAgeMs`, or may be; undefined where it is old enough. */
  async refusedByAge(version: Version, minAgeMs: number | undefined): Promise<string | undefined> {
    if (minAgeMs === undefined) return undefined;
    const { ages, module } = this.#options;
    return ageText(await ages.of(module, version, minAgeMs));
  }

  /** Those of all versions that a list has, in the order of `all`, which is sorted. */
  async listed(all: readonly Version[]): Promise<Listed> {
    return this.#oldOnes(await this.#standing(all));
  }

  /** The version of all that `latest` means. `all` is sorted and not empty. */
  async latest(all: readonly Version[]): Promise<Choice> {
    const { listMs } = this.#options;
    const standing = await this.#standing(all);
    let left = standing;
    let why: string | undefined;
    for (let step = 0; step < MAX_STEPS; step++) {
      const version = await this.#choose(left);
      if (!version) return { kind: 'none', why: why ?? this.#whyNone(all) };
      const refused = await this.refusedByAge(version, listMs);
      if (refused === undefined) return { kind: 'version', version };
      why ??= `${version}: ${refused}`;
      left = left.filter((other) => other !== version);
    }
    const version = await this.#choose((await this.#oldOnes(left)).versions);
    return version ? { kind: 'version', version } : { kind: 'none', why: why ?? '' };
  }

  /** Those that no rule refuses and that are not retracted. */
  async #standing(all: readonly Version[]): Promise<readonly Version[]> {
    const passed = all.filter((version) => this.refusedByRules(version) === undefined);
    return passed.length > 0 ? withoutRetracted(passed, await this.#retractions(all)) : [];
  }

  async #oldOnes(versions: readonly Version[]): Promise<Listed> {
    const { ages, listMs, module } = this.#options;
    if (listMs === undefined || versions.length === 0) return { versions, isComplete: true };
    const known = await ages.ofAll(module, versions, listMs);
    return {
      versions: versions.filter((version) => known.get(version)?.kind === 'old'),
      isComplete: versions.every((version) => known.get(version)?.kind !== 'unknown'),
    };
  }

  /** Why no version of all stands, by the highest one. */
  #whyNone(all: readonly Version[]): string {
    const version = all.at(-1);
    if (version === undefined) return 'it has no version';
    return `${version}: ${this.refusedByRules(version) ?? 'it is retracted'}`;
  }

  /**
   * What the highest version of all retracts, whether it may be had itself or not: a go command sees
   * a filtered list, and would ask an older version. Without its go.mod nothing is retracted: a
   * retraction is advice of the author, and a list that fails breaks every build.
   */
  async #retractions(all: readonly Version[]): Promise<readonly Retraction[]> {
    const { context, module } = this.#options;
    const version = await this.#choose(all);
    const mod = version && (await this.#goMod(version));
    if (mod) return retractionsOf(mod);
    const error = `no go.mod of ${module}@${version}: its retractions are not heeded`;
    if (context.mayFetch) context.emit({ event: 'trouble', label: 'policy', error });
    return [];
  }

  #choose(versions: readonly Version[]): Promise<Version | undefined> {
    return chooseLatest(versions, async (version) => {
      const mod = await this.#goMod(version);
      return mod === undefined || isWrittenGoMod(mod, this.#options.module);
    });
  }

  /** Undefined where it cannot be had, or is longer than any that is read here. */
  async #goMod(version: Version): Promise<Uint8Array | undefined> {
    const { ask, module } = this.#options;
    const outcome = await ask({ kind: 'mod', module, version });
    if (outcome.kind !== 'found') return undefined;
    const { size = Infinity } = outcome.file;
    if (size <= MAX_UNHELD_BYTES) return bodyOf(outcome);
    dropBody(outcome);
    return undefined;
  }
}
