import { defineConfig } from 'rolldown';

/**
 * What the image runs: the broker, its command line and its health check, each with what it loads of the packages, in a
 * few files instead of a thousand (docs/decisions/0007-bundle.md). It stays readable, for whoever reads a stack trace.
 */
export default defineConfig({
  input: {
    main: 'src/main.ts',
    'cli/main': 'src/cli/main.ts',
    'cli/healthcheck': 'src/cli/healthcheck.ts',
  },
  platform: 'node',
  // They read files of their own, and are loaded by whoever opens the documentation.
  external: ['@fastify/swagger', '@fastify/swagger-ui'],
  output: { dir: 'dist', cleanDir: true, chunkFileNames: 'chunks/[name].js', comments: false },
});
