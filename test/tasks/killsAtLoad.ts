/** A module that has the system kill its worker while it is being loaded, and writes down that it did. */

import { appendFileSync } from 'node:fs';

export default function task(): string {
  return 'never';
}

appendFileSync(process.env['LOG'] as string, 'load\n');
await new Promise((resolve) => setTimeout(resolve, 20));
process.kill(process.pid, 'SIGKILL');
