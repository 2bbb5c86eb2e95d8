import { maskControls } from '../../bytes/plain-text.ts';
import type { Progress } from './progress.ts';
import { type Finding, KINDS, VERDICTS } from './verdict.ts';

export interface ReportOptions {
  /** What was audited, as in "/srv/modules". */
  readonly tree: string;
  /** What was wrong at the end was removed. */
  readonly fixed: boolean;
  readonly online: boolean;
  /** A command to paste that removes these files. */
  readonly remedy: (finding: Finding) => string;
}

/** The report as JSON has it. */
export interface Report {
  readonly tree: string;
  readonly online: boolean;
  readonly fixed: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly counts: Progress['counts'];
  readonly unasked: Progress['unasked'];
  readonly ignored: number;
  readonly unknown: Progress['unknown'];
  readonly wrong: readonly (Finding & { readonly remedy: string })[];
}

export function reportOf(
  progress: Progress,
  { tree, fixed, online, remedy }: ReportOptions,
): Report {
  const { files, bytes, counts, unasked, ignored, unknown, findings } = progress;
  const wrong = findings.map((finding) => withRemedy(finding, remedy(finding)));
  return { tree, online, fixed, files, bytes, counts, unasked, ignored, unknown, wrong };
}

function withRemedy(finding: Finding, remedy: string): Report['wrong'][number] {
  return { ...finding, remedy };
}

/** The report as people read it; each line ends with a line break. */
export function reportText(report: Report): string {
  const { files, bytes, ignored, tree } = report;
  const lines = [
    `${tree}: ${plural(files, 'file')}, ${megabytes(bytes)}`,
    '',
    ...table(report),
    '',
    ...notes(report),
    ...(ignored > 0
      ? [`${plural(ignored, 'lock or temporary file')} of the go command, ignored`]
      : []),
    ...unknownFiles(report),
    ...wrongFiles(report),
  ];
  return `${lines.join('\n')}\n`;
}

function row(name: string, cells: readonly (string | number)[]): string {
  return name.padEnd(10) + cells.map((cell) => String(cell).padStart(11)).join('');
}

function table({ counts }: Report): string[] {
  const rows = KINDS.flatMap((kind) => {
    const numbers = VERDICTS.map((verdict) => counts[kind][verdict]);
    return numbers.some((number) => number > 0) ? [row(kind, numbers)] : [];
  });
  return [row('', VERDICTS), ...rows];
}

function notes({ online, unasked }: Report): string[] {
  if (unasked.files === 0) return [];
  const summary = `The checksum databases could not be consulted on ${plural(unasked.files, 'file')}`;
  const remedy = online ? '' : '; --online asks them';
  return [`${summary}${remedy} (the first time: ${unasked.reason ?? 'no answer'})`];
}

function unknownFiles({ unknown }: Report): string[] {
  const { files, named } = unknown;
  if (files === 0) return [];
  const more = files > named.length ? [`  and ${files - named.length} more`] : [];
  return [
    `${plural(files, 'file')} that neither modferry nor the go command has put there:`,
    ...named.map((key) => `  ${maskControls(key)}`),
    ...more,
  ];
}

function wrongFiles({ fixed, wrong }: Report): string[] {
  if (wrong.length === 0) return ['Nothing is wrong'];
  const removed = wrong.filter(({ isRemoved }) => isRemoved).length;
  const number = removed === wrong.length ? '' : `${removed} `;
  return [
    '',
    `${plural(wrong.length, 'file')} ${wrong.length === 1 ? 'is' : 'are'} wrong${fixed ? `, and ${number}removed` : ''}:`,
    ...wrong.flatMap(({ key, expected, found, isRemoved, source, remedy }) => [
      '',
      `  ${maskControls(key)}`,
      `    expected  ${maskControls(expected)} (${maskControls(source)})`,
      `    found     ${maskControls(found)}`,
      ...(fixed ? [] : [`    remedy    ${remedy}`]),
      ...(fixed && !isRemoved ? ['    left      it was replaced or removed since'] : []),
    ]),
  ];
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}
