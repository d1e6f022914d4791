import { enableCompileCache } from 'node:module';

// Most of a start is compiling. Where nothing can be written, as in the image, Node does without the cache.
enableCompileCache();
await import('./process.ts');
