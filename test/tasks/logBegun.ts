/** Says which values were begun, in a file, at once: so it is known of a worker that is killed, too. */

import { appendFileSync } from 'node:fs';

export type Doing = 'nothing' | 'large' | 'die';

export interface Value {
  readonly log: string;
  readonly x: number;
  readonly doing: Doing;
}

export function logBegun({ log, x, doing }: Value): unknown {
  appendFileSync(log, `${x} `);
  if (doing === 'die') process.kill(process.pid, 'SIGKILL');
  return doing === 'large' ? new Uint8Array(8_000_000) : x;
}
