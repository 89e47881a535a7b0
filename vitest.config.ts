import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/{unit,integration,e2e,migrations}/**/*.test.ts'],
    pool: 'forks',
    // Much of the time is waiting: for settling, leases, a forge that wants a second between two requests.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
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
