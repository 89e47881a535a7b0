import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/{unit,integration,e2e,migrations}/**/*.test.ts'],
    pool: 'forks',
    // Much of the time is waiting: for settling, leases, a forge that wants a second between two requests.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // What is waited for comes at once as a rule; only a machine that is busy with other things comes near to these.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      include: [
        'app/**/*.ts',
        'backups/**/*.ts',
        'deployer/**/*.ts',
        'environments/**/*.ts',
        'migrations/**/*.ts',
        'verify/**/*.ts',
      ],
      reporter: ['text-summary', 'json-summary'],
    },
  },
});
