import type { TestProject } from 'vitest/node';
import { buildWorker } from '../../src/cli/local/build.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Worker as it would be deployed. */
    workerScript: string;
  }
}

/** Builds the Worker once for all test files of a project. */
export default async function build(project: TestProject): Promise<void> {
  project.provide('workerScript', await buildWorker());
}
