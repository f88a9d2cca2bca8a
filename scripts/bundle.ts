/** `node scripts/bundle.ts`: the programs as the image holds them, below dist/. The Dockerfile's build stage runs it too. */
import { bundle } from './lib/bundle.ts';
import { runScript } from './lib/progress.ts';

await runScript(async () => {
  process.stdout.write(`${await bundle()}\n`);
});
