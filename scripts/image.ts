/** `npm run image`: builds the image with the engine that works here; its reference is the last line of the output. */
import { needEngine } from './lib/engine.ts';
import { buildImage } from './lib/image.ts';
import { runScript, step } from './lib/progress.ts';

await runScript(async () => {
  const engine = await needEngine();
  const reference = await step(`image, with ${engine.name}`, (report) => buildImage(engine, report));
  process.stdout.write(`${reference}\n`);
});
