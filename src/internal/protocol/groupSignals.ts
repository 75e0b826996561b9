/**
 * Signals that ask for the end of a program and reach its workers, too: terminals send them to the whole process group, and service
 * managers to each process of a service. The program decides what they mean.
 */

export const groupSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Whether a worker that has ended by a signal before it could ignore that was not meant. */
export function isGroupSignal(signal: string | null): boolean {
  return (groupSignals as readonly (string | null)[]).includes(signal);
}
