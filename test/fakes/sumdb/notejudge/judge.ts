import { join } from 'node:path';
import { startGoProgram } from '../../../go/program.ts';

/** A question in the format of main.go. Bytes are in base64. */
export type Question = { readonly op: string } & Readonly<Record<string, unknown>>;
/** The answer to a question. Bytes are in base64. */
export type Verdict = Readonly<Record<string, unknown>>;

/** The running program of main.go. */
export interface NoteJudge {
  ask(question: Question): Promise<Verdict>;
  close(): Promise<void>;
}

/** Starts the program, which `go` builds with golang.org/x/mod. */
export async function startNoteJudge(go: string): Promise<NoteJudge> {
  const program = await startGoProgram(go, { source: join(import.meta.dirname, 'main.go') });
  return {
    ask: async (question) => JSON.parse(await program.ask(JSON.stringify(question))),
    close: () => program.close(),
  };
}
