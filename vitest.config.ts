import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Two cores in continuous integration; the tests wait more than they compute.
    maxWorkers: 2,
    // Once per run, whatever the project: every project has tests that run the go command.
    globalSetup: ['test/go/install-go.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 30_000,
          include: [
            'src/**/*.test.ts',
            'test/{fakes,contracts}/**/*.test.ts',
            'test/platform/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          globalSetup: ['test/worker/build.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // The same tests, with the limits of the platform around the Worker.
        test: {
          name: 'platform',
          include: [
            'test/worker/{conformance,failover,leaving-clients,verification}.test.ts',
            'test/platform/workerd/*.test.ts',
          ],
          globalSetup: ['test/platform/workerd/build.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/worker/build.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
