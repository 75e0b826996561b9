/**
 * Listens to abort signals: one listener for each signal, however many calls it is given to. Node warns of a leak when a signal has
 * more than ten.
 */

interface Link {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const links = new WeakMap<AbortSignal, Link>();

/** Calls back, once, when the signal fires. */
export function linkAbort(signal: AbortSignal, callback: () => void): void {
  let link = links.get(signal);
  if (link === undefined) {
    const callbacks = new Set<() => void>();
    const listener = (): void => {
      links.delete(signal);
      for (const each of callbacks) each();
    };
    link = { callbacks, listener };
    links.set(signal, link);
    signal.addEventListener('abort', listener, { once: true });
  }
  link.callbacks.add(callback);
}

/** Undoes `linkAbort`. Leaves no listener on the signal when no callback is left. */
export function unlinkAbort(signal: AbortSignal, callback: () => void): void {
  const link = links.get(signal);
  if (link === undefined) return;
  link.callbacks.delete(callback);
  if (link.callbacks.size > 0) return;
  links.delete(signal);
  signal.removeEventListener('abort', link.listener);
}
