import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/no-credential-in-logs.ts'],
    globalSetup: ['test/support/engine-setup.ts'],
    // Processes, sockets and an engine on two cores: slow is not wrong.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 50_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
