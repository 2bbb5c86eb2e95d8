import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import { messageOf } from '../terminal/message.ts';
import { Answers } from './answers.ts';

const FILE = 'answers.json';

/** Makes the directory of a deployment, before anything is made that the next run has to find. */
export async function prepareDirectory(directory: string): Promise<Result<void>> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
    return success(undefined);
  } catch (error) {
    return failed(
      `Cannot keep files in ${JSON.stringify(directory)}: ${messageOf(error)}; set STATE_DIR to a directory that can be written`,
    );
  }
}

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

/** Remembers the answers for the next run. The directory exists. */
export async function saveAnswers(directory: string, answers: Answers): Promise<void> {
  await writeFile(join(directory, FILE), `${JSON.stringify(answers, undefined, 2)}\n`);
}
