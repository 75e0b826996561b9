/** How workers end, as the package tells it: one that has left by itself from one that was killed. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';

const CHANNEL = 'rxjs-parallel-map:worker:exit';

export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** That of one that has left by itself. */
export const leaves: WorkerEnd = { exitCode: 0, signal: null };

/** Does something. @returns How each worker that has ended meanwhile did so. */
export async function endsDuring(act: () => Promise<unknown>): Promise<WorkerEnd[]> {
  const ends: WorkerEnd[] = [];
  const hear = (message: unknown): void => {
    const { exitCode, signal } = message as WorkerEnd;
    ends.push({ exitCode, signal });
  };
  subscribe(CHANNEL, hear);
  try {
    await act();
  } finally {
    unsubscribe(CHANNEL, hear);
  }
  return ends;
}
