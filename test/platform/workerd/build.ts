import type { TestProject } from 'vitest/node';
import { buildWorker } from '../../../src/cli/local/build.ts';

/** Builds the Worker inside the platform's limits, for the tests that run the built Worker. */
export default async function build(project: TestProject): Promise<void> {
  const script = await buildWorker({ entry: 'test/platform/workerd/worker.ts' });
  project.provide('workerScript', script);
}
