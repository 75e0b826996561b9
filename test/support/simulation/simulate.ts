/** A thread in virtual time, in which scripts of the model tests are played: each {@link Simulation} that it is sent. */

import { parentPort } from 'node:worker_threads';
import type { Kind } from './kinds.js';
import { VirtualTime } from './VirtualTime.js';

export interface Simulation {
  readonly kind: Kind;
  readonly runs: number;
  readonly seed: number;
  /** The path of a counterexample, to play that again. */
  readonly path?: string | undefined;
}

/** What has come of it: how many scripts were played, and what a failure says. */
export interface SimulationOutcome {
  readonly runs: number;
  readonly failure: string | undefined;
}

const time = new VirtualTime();
time.install();
// Only now: what is loaded keeps the globals that it finds.
const { simulateScripts } = await import('./simulatedModel.js');
parentPort?.on('message', (simulation: Simulation) => {
  const play = async (): Promise<void> => {
    parentPort?.postMessage(await simulateScripts(time, simulation));
  };
  time.schedule(time.program, 0, () => void play());
});
