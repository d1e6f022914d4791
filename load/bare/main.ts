import { type BareOrder, runBareLoop } from './bare-loop.ts';

/** The process of the loops without a broker: one at a time, as the process that started it says. */
process.on('message', (order: BareOrder) => {
  runBareLoop(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
