/** System calls that wait, made again when a signal has interrupted them: Node's handler of SIGUSR1 does not have the kernel do so. */

/** @returns what `call` returns. @throws what it throws, but `EINTR`. */
export function uninterrupted<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINTR') throw error;
    }
  }
}
