import { join } from 'node:path';
import { startGoProgram } from '../../../go/program.ts';

/** A question as main.go has it, and its answer. Bytes are base64 in both. */
export type Question = { readonly op: string } & Readonly<Record<string, unknown>>;
export type Verdict = Readonly<Record<string, unknown>>;

/** The program of main.go. */
export interface NoteJudge {
  ask(question: Question): Promise<Verdict>;
  close(): Promise<void>;
}

/** Starts the program, built by `go` with golang.org/x/mod. */
export async function startNoteJudge(go: string): Promise<NoteJudge> {
  const program = await startGoProgram(go, { source: join(import.meta.dirname, 'main.go') });
  return {
    ask: async (question) => JSON.parse(await program.ask(JSON.stringify(question))),
    close: () => program.close(),
  };
}
