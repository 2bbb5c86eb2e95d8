import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { Answers } from './answers.ts';

const FILE = 'answers.json';

/** The answers of the last run; none where the file is absent or has another form. */
export async function loadAnswers(directory: string): Promise<Answers> {
  try {
    const text = await readFile(join(directory, FILE), 'utf8');
    const parsed = v.safeParse(Answers, JSON.parse(text));
    return parsed.success ? parsed.output : {};
  } catch {
    return {}; // the questions are asked again
  }
}

/** Remembers the answers for the next run. */
export async function saveAnswers(directory: string, answers: Answers): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, FILE), `${JSON.stringify(answers, undefined, 2)}\n`);
}
