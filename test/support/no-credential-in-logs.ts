import { afterEach, expect } from 'vitest';
import { takeLeaks } from './watched-log.ts';

// For every test of the suite: whatever it makes its brokers log, no credential is in it.
afterEach(() => {
  expect(takeLeaks(), 'log lines that hold a credential').toEqual([]);
});
