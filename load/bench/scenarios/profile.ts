import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOURCES } from '../../lib/broker-program.ts';
import { readProfile, timeByArea, topFunctions } from '../../lib/cpu-profile.ts';
import { textTable } from '../../lib/text-table.ts';
import { measureLoad } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCY = 64;
const POOL = 40_000;
const TOP = 25;

/** Where the broker's microseconds go: by part of the house, and by function. Its start is in it, too. */
export const profile: Scenario = {
  name: 'profile',
  summary: 'where the processor time of an allocation goes, at 64 concurrent',
  run: async ({ stand, settings, say }) => {
    const folder = mkdtempSync(join(tmpdir(), 'broker-profile-'));
    try {
      const table = await stand.createTable();
      const broker = await stand.startBroker(
        table,
        {},
        { program: SOURCES, nodeArguments: ['--cpu-prof', '--cpu-prof-dir', folder] },
      );
      await table.fill(POOL);
      say('profile: under load');
      const load = {
        kind: 'closed' as const,
        urls: [broker.url],
        callers: { token: TRACK_TOKEN, run: 'profile' },
        concurrency: CONCURRENCY,
        seconds: settings.seconds * 4,
      };
      const { figures } = await measureLoad(stand, table, [broker], load);
      await broker.stop();
      await table.drop();
      const recorded = readProfile(join(folder, readdirSync(folder)[0] as string));
      const areas = timeByArea(recorded).map(({ area, ms }) => ({
        area,
        microseconds: (ms * 1000) / figures.allocations,
      }));
      const top = topFunctions(recorded, TOP);
      return {
        figures: { allocations: figures.allocations, areas, top },
        targets: [],
        report: [
          `${figures.allocations} allocations`,
          textTable(
            ['part', 'µs an allocation'],
            areas.map(({ area, microseconds }) => [area, microseconds]),
          ),
          textTable(
            ['function', 'µs an allocation'],
            top.map(({ name, ms }) => [name, (ms * 1000) / figures.allocations]),
          ),
        ].join('\n\n'),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
