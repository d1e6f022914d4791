import { runLoad } from './loads.ts';
import type { Load } from './protocol.ts';

/** The process of the generator: one load at a time, as the process that started it says. */
process.on('message', (load: Load) => {
  runLoad(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
