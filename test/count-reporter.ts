import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends every run with one line that counts its tests: `512 passed, 0 failed`, and `, 3 skipped`
 * after it if tests were. With MODFERRY_NO_SKIPS set a skipped test fails the run and is named.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const skipped = inState('skipped');
    const failed = inState('failed').length + modules.flatMap((module) => module.errors()).length;
    if (process.env['MODFERRY_NO_SKIPS'] && skipped.length > 0) {
      for (const test of skipped) console.error(`Skipped where nothing may be: ${test.fullName}`);
      process.exitCode = 1;
    }
    const counts = [`${inState('passed').length} passed`, `${failed} failed`];
    if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
    console.log(`\n${counts.join(', ')}`);
  }
}
