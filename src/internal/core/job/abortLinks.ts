/**
 * Who is to hear when a signal fires: one listener per signal, however many calls it is given to, for a signal with more
 * than ten listeners makes Node warn of a leak.
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

/** Undoes `linkAbort`. The last one removes the listener. */
export function unlinkAbort(signal: AbortSignal, callback: () => void): void {
  const link = links.get(signal);
  if (link === undefined) return;
  link.callbacks.delete(callback);
  if (link.callbacks.size > 0) return;
  links.delete(signal);
  signal.removeEventListener('abort', link.listener);
}
