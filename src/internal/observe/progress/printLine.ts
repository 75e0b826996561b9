/** A line on the error output of the program. That of a worker goes there by the pool, whose program knows what is on the terminal. */

import { workerOutput } from '../../worker/identity.js';

export function printLine(text: string): void {
  const output = workerOutput();
  if (output === undefined) process.stderr.write(`${text}\n`);
  else output.print(text);
}
