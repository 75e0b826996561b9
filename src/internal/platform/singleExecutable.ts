/** Whether the program is a single-executable application: then `process.execPath` is the program itself, and not Node. */

import { createRequire } from 'node:module';

export function isSingleExecutable(): boolean {
  try {
    const { isSea } = createRequire(process.execPath)('node:sea') as { isSea(): boolean };
    return isSea();
  } catch {
    return false; // this version of Node has none
  }
}

/** Why there are no worker processes; `undefined` where there can be. */
export function whyNoProcesses(): string | undefined {
  return isSingleExecutable()
    ? 'this program is a single-executable application, which would run itself in place of each worker'
    : undefined;
}
