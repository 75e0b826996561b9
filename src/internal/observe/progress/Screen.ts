/**
 * The bars on a terminal, in its last lines. What the program prints meanwhile appears above them.
 *
 * While there are bars the `write` of the program's output streams is ours: it takes the bars away, writes, and has them drawn again
 * when the line is complete.
 *
 * What the screen itself writes, it writes in the async context of the call whose bar it is; a picture of several, in that of the first.
 */

import { createRequire } from 'node:module';
import type { ProgressStream } from '../../../options.js';
import { bindContext } from '../../platform/asyncContext.js';
import { clearInterval, setImmediate, setInterval } from '../../platform/globals.js';

/** A bar: its text, at most `columns` wide. @param widthOf How many columns a text takes. */
export type Bar = (columns: number, widthOf: (text: string) => number) => string;

interface Shown {
  readonly throttle: number;
  /** Runs something in the async context in which the bar was added. */
  readonly run: (act: () => unknown) => unknown;
}

type LogUpdate = typeof import('log-update');
type Write = (this: unknown, ...args: unknown[]) => unknown;

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const PACKAGES = ['log-update', 'string-width'];

export class Screen {
  readonly #stream: ProgressStream;
  readonly #bars = new Map<Bar, Shown>();
  #draw: ReturnType<LogUpdate['createLogUpdate']> | undefined;
  #widthOf: (text: string) => number = ({ length }) => length;
  #timer: NodeJS.Timeout | undefined;
  /** Whether it is this object that writes. */
  #writing = false;
  #scheduled = false;
  /** Whether the program has printed part of a line. */
  #midLine = false;
  #release: (() => void)[] = [];

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  /** Shows a bar, drawn every `throttle` milliseconds. @returns Settles when it can be drawn. */
  add(bar: Bar, throttle: number): Promise<void> {
    this.#bars.set(bar, { throttle, run: bindContext((act: () => unknown) => act()) });
    if (this.#bars.size === 1) this.#capture();
    this.#setTimer();
    return this.#draw === undefined ? this.#load() : Promise.resolve();
  }

  /** Takes a bar away, and leaves a line in its place. */
  remove(bar: Bar, line: string): void {
    const shown = this.#bars.get(bar);
    if (shown === undefined) return;
    this.#bars.delete(bar);
    this.#setTimer();
    this.#write(() => {
      this.#draw?.clear();
      this.#stream.write(`${this.#midLine ? '\n' : ''}${line}\n`);
      this.#midLine = false;
    }, shown);
    if (this.#bars.size === 0) for (const release of this.#release.splice(0)) release();
    else this.#update();
  }

  async #load(): Promise<void> {
    const [{ createLogUpdate }, { default: stringWidth }] = await Promise.all([
      import('log-update'),
      import('string-width'),
    ]);
    this.#widthOf = stringWidth;
    // With a cursor: hiding it takes listeners on signals, to show it again.
    this.#draw ??= createLogUpdate(withSize(this.#stream), { showCursor: true });
    this.#update();
  }

  #update(): void {
    if (this.#bars.size === 0 || this.#midLine) return;
    this.#write(() => {
      const columns = this.#stream.columns || DEFAULT_COLUMNS;
      this.#draw?.([...this.#bars.keys()].map((bar) => bar(columns, this.#widthOf)).join('\n'));
    });
  }

  #setTimer(): void {
    clearInterval(this.#timer);
    if (this.#bars.size === 0) return;
    this.#timer = setInterval(
      () => this.#update(),
      Math.min(...[...this.#bars.values()].map(({ throttle }) => throttle)),
    );
    this.#timer.unref();
  }

  #write(act: () => unknown, shown = [...this.#bars.values()][0]): void {
    this.#writing = true;
    try {
      if (shown === undefined) act();
      else shown.run(act);
    } catch {
      // A stream that fails is no reason for a call to do so.
    } finally {
      this.#writing = false;
    }
  }

  /** Takes over what else writes to the same terminal. */
  #capture(): void {
    const streams = new Set<object>([this.#stream]);
    const own = [process.stdout, process.stderr];
    if (own.includes(this.#stream as never)) for (const stream of own) if (stream.isTTY) streams.add(stream);
    for (const stream of streams) this.#release.push(this.#captureWrites(stream as { write: Write }));
  }

  #captureWrites(stream: { write: Write }): () => void {
    const wasOwn = Object.hasOwn(stream, 'write');
    const { write } = stream;
    let isOver = false;
    const capturing: Write = (...args) => {
      if (isOver || this.#writing) return Reflect.apply(write, stream, args);
      this.#write(() => this.#draw?.clear());
      const [text] = args;
      if (text !== undefined && (text as string | Uint8Array).length > 0) this.#midLine = !endsLine(text);
      this.#updateSoon();
      return Reflect.apply(write, stream, args);
    };
    stream.write = capturing;
    return () => {
      isOver = true;
      if (stream.write !== capturing) return; // other code has replaced it, and calls this one
      if (wasOwn) stream.write = write;
      else delete (stream as { write?: Write }).write;
    };
  }

  #updateSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#update();
    });
  }
}

/** The same terminal, but of a usual size where it reports 0, as some pseudo-terminals do: nothing would be drawn. */
function withSize(stream: ProgressStream): NodeJS.WriteStream {
  const sized = {
    write: (text: string) => stream.write(text),
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns || DEFAULT_COLUMNS;
    },
    get rows() {
      return (stream as { rows?: number }).rows || DEFAULT_ROWS;
    },
  };
  return sized as unknown as NodeJS.WriteStream;
}

/** Writes, and does not mind a stream that fails: that is no reason for a call to do so. */
export function tryToWrite(stream: ProgressStream, text: string): void {
  try {
    stream.write(text);
  } catch {
    // nothing to be done
  }
}

function endsLine(text: unknown): boolean {
  return typeof text === 'string' ? text.endsWith('\n') : (text as Uint8Array).at?.(-1) === 10;
}

/** @throws Error where a package is missing. */
export function checkPackage(): void {
  for (const name of PACKAGES) {
    try {
      createRequire(import.meta.url).resolve(name);
    } catch {
      throw new Error(
        `progressBar: the optional package ${name}, which it draws on terminals with, is not installed (npm install ${name}).`,
      );
    }
  }
}

const key = Symbol.for('rxjs-parallel-map.screens');

/** The one screen of a stream, also for other copies of this package. */
export function screenOf(stream: ProgressStream): Screen {
  const registry = globalThis as { [key]?: WeakMap<object, Screen> };
  const screens = (registry[key] ??= new WeakMap());
  let screen = screens.get(stream);
  if (screen === undefined) {
    screen = new Screen(stream);
    screens.set(stream, screen);
  }
  return screen;
}
