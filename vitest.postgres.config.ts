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
    // What is waited for comes at once as a rule; only a machine that is busy with other things comes near to these.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
