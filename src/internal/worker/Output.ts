/**
 * Whether this process has printed something that is not out yet: a pipe that is full takes no more, and what waits for it is
 * lost when the process is killed.
 */

const names = ['stdout', 'stderr'] as const;

export class Output {
  readonly #streams = new Set<NodeJS.WriteStream>();

  /** Notes which streams are used; they are made at their first use, and most workers never print. */
  constructor() {
    for (const name of names) {
      const property = Object.getOwnPropertyDescriptor(process, name);
      const make = property?.get;
      if (make === undefined) continue;
      Object.defineProperty(process, name, {
        ...property,
        get: (): NodeJS.WriteStream => {
          const stream = make.call(process) as NodeJS.WriteStream;
          this.#streams.add(stream);
          return stream;
        },
      });
    }
  }

  get isPending(): boolean {
    for (const stream of this.#streams) if (isPending(stream)) return true;
    return false;
  }

  /** Calls back once everything is out, or cannot get out any more. */
  whenOut(callback: () => void): void {
    const pending = [...this.#streams].find(isPending);
    if (pending === undefined) {
      callback();
      return;
    }
    const next = (): void => {
      pending.off('drain', next);
      pending.off('close', next);
      this.whenOut(callback);
    };
    // Node empties the whole queue before it says so.
    pending.on('drain', next);
    pending.on('close', next);
    pending.write('', () => next());
  }
}

function isPending(stream: NodeJS.WriteStream): boolean {
  return stream.writableLength > 0 && !stream.destroyed && stream.writable;
}
