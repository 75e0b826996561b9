/**
 * The bars of calls that were made inside workers, on pools of their own. A worker does not know what else is on the terminal, so it
 * tells its program how far a call is, and that draws the bar; a worker in between hands on what it hears.
 */

import type { Progress, RemoteBar } from '../../protocol/messages.js';
import { workerOutput } from '../../worker/identity.js';
import { screenOf, type Bar } from './Screen.js';
import { barText, endText } from './text.js';

interface Shown {
  readonly bar: Bar;
  progress: Progress;
}

/** Of each worker that has bars, what is shown. */
const shownBy = new Map<object, Map<string, Shown>>();
let lastId = 0;
const ids = new WeakMap<object, number>();

/** Each worker numbers its bars. A worker in between forwards the bars of several workers. */
function nameOf(worker: object, id: string): string {
  if (!ids.has(worker)) ids.set(worker, ++lastId);
  return `${String(ids.get(worker))}.${id}`;
}

/** A worker tells how far one of its calls is, or how it has ended. */
export function showRemoteBar(worker: object, told: RemoteBar): void {
  const { id, progress, line, throttle } = told;
  const output = workerOutput();
  let bars = shownBy.get(worker);
  if (bars === undefined) shownBy.set(worker, (bars = new Map()));
  let shown = bars.get(id);
  if (shown === undefined) {
    const begun: Shown = { progress, bar: (columns, widthOf) => barText(begun.progress, columns, widthOf) };
    shown = begun;
    bars.set(id, shown);
    if (output === undefined)
      void screenOf(process.stderr)
        .add(shown.bar, throttle)
        .catch(() => undefined); // checked when the call began
  }
  shown.progress = progress;
  if (line !== undefined) {
    bars.delete(id);
    if (bars.size === 0) shownBy.delete(worker);
    if (output === undefined) screenOf(process.stderr).remove(shown.bar, line);
  }
  output?.bar({ ...told, id: nameOf(worker, id) });
}

/** A worker has ended: so have its calls. */
export function endRemoteBars(worker: object): void {
  for (const [id, { progress }] of shownBy.get(worker) ?? []) {
    showRemoteBar(worker, { id, progress, line: endText(progress, { outcome: 'cancelled' }), throttle: Infinity });
  }
}
