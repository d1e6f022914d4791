import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Deadline } from '../../allocation/deadline.ts';
import type { PoolStatistics } from '../../allocation/pool-statistics.ts';
import { type Clock, unixSeconds } from '../../domain/clock.ts';
import { errorResponses } from '../schemas/errors.ts';

const count = z.int().min(0);

const statisticsSchema = z
  .object({
    total: count,
    available: count,
    allocated: count,
    pending_deletion: count,
    stale: count,
    deletion_failed: count,
    quarantined: count,
    as_of: z.int().describe('Unix seconds: when it was counted'),
    age_seconds: z.int().min(0),
  })
  .meta({
    id: 'Statistics',
    examples: [
      {
        total: 200,
        available: 180,
        allocated: 15,
        pending_deletion: 3,
        stale: 2,
        deletion_failed: 0,
        quarantined: 0,
        as_of: 1774000000,
        age_seconds: 4,
      },
    ],
  });

export const adminStatisticsRoutes: FastifyPluginAsyncZod<{
  statistics: PoolStatistics;
  clock: Clock;
  deadlineMs: number;
}> = async (app, { statistics, clock, deadlineMs }) => {
  app.get(
    '/stats',
    {
      config: { action: 'statistics' },
      schema: {
        tags: ['admin'],
        summary: 'How many sandboxes are in which state',
        description: 'Exact as of `as_of`, over any size of the pool.',
        security: [{ adminToken: [] }],
        response: { 200: statisticsSchema.describe('Counts by status'), ...errorResponses() },
      },
    },
    async () => {
      const { counts, asOf } = await new Deadline(clock, deadlineMs).orUnavailable(statistics.current());
      return {
        total: Object.values(counts).reduce((sum, each) => sum + each, 0),
        ...counts,
        as_of: asOf,
        age_seconds: Math.max(0, unixSeconds(clock) - asOf),
      };
    },
  );
};
