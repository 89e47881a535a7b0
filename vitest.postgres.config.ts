import { defineConfig } from 'vitest/config';

/** The tests that touch the deployer's state, or a database that may be PostgreSQL, again on a real server. */
export default defineConfig({
  test: {
    globalSetup: 'tests/kit/postgres-server.ts',
    include: [
      'tests/unit/{intake,journal,outbox,reconcile}/**/*.test.ts',
      'tests/integration/state/**/*.test.ts',
      'tests/integration/verify/postgres.test.ts',
      'tests/e2e/{pipeline,promotion,rehearsal,rollback,settle}.test.ts',
    ],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
