/**
 * Shows how far one call is: as a bar on a terminal, else as a line now and then. It looks at the call when it is time to show
 * something, so that values cost nothing.
 */

import { threadId } from 'node:worker_threads';
import type { ProgressBarSettings } from '../../../options.js';
import { bindContext } from '../../platform/asyncContext.js';
import { clearInterval, now, setInterval } from '../../platform/globals.js';
import type { Progress } from '../../protocol/messages.js';
import { workerOutput, type WorkerOutput } from '../../worker/identity.js';
import { printLine } from './printLine.js';
import { programHasBars } from './programHasBars.js';
import { checkPackage, screenOf, tryToWrite, type Bar, type Screen } from './Screen.js';
import { barText, endText, lineText, plain, type ProgressEnd } from './text.js';

/** Milliseconds between two pictures on a terminal, and between two lines elsewhere. */
const BAR_TIME = 100;
const LINE_TIME = 5000;

let lastId = 0;

/** What is looked at. */
export interface ProgressSource {
  readonly doneCount: number;
  /** How many values there are, once that is known. */
  readonly totalCount: number | undefined;
}

/** Checks that progress can be shown. @throws Error where a package is missing. */
export function checkReport(settings: ProgressBarSettings): void {
  if (hasBar(settings)) checkPackage();
}

/** On a stream of its own a worker has no bars: it does not know what else is on that terminal. */
function hasBar({ stream }: ProgressBarSettings): boolean {
  if (stream === undefined) return programHasBars();
  return workerOutput() === undefined && stream.isTTY === true;
}

export class ProgressReport {
  readonly #settings: ProgressBarSettings;
  readonly #source: ProgressSource;
  readonly #total: number | undefined;
  readonly #startedAt = now();
  readonly #bar: Bar = (columns, widthOf) => barText(this.#progress, columns, widthOf);
  readonly #screen: Screen | undefined;
  /** In a worker, the program's bar. */
  readonly #remote: WorkerOutput | undefined;
  readonly #id = `${process.pid}.${threadId}.${++lastId}`;
  readonly #timer: NodeJS.Timeout | undefined;
  /** In the async context of the call, not in that of the message which ends it. */
  readonly #write = bindContext(tryToWrite);
  #printed = 0;

  /**
   * Begins.
   *
   * @param total How many values there are, where that is known from the start.
   * @param onError Called where nothing can be shown.
   */
  constructor(
    settings: ProgressBarSettings,
    source: ProgressSource,
    total: number | undefined,
    onError: (error: unknown) => void,
  ) {
    this.#settings = settings;
    this.#source = source;
    this.#total = settings.total ?? total;
    const stream = settings.stream ?? process.stderr;
    const output = workerOutput();
    if (hasBar(settings) && output !== undefined) {
      this.#remote = output;
      this.#tellRemote();
      this.#timer = setInterval(() => this.#tellRemote(), settings.throttle ?? BAR_TIME);
      this.#timer.unref();
    } else if (hasBar(settings)) {
      this.#screen = screenOf(stream);
      this.#screen.add(this.#bar, settings.throttle ?? BAR_TIME).catch(onError);
    } else {
      this.#timer = setInterval(() => this.#printProgress(), settings.throttle ?? LINE_TIME);
      this.#timer.unref();
    }
  }

  /** The call has ended. */
  end(end: ProgressEnd): void {
    clearInterval(this.#timer);
    const text = endText(this.#progress, end);
    if (this.#remote !== undefined) this.#tellRemote(text);
    else if (this.#screen === undefined) this.#print(text);
    else this.#screen.remove(this.#bar, text);
  }

  get #progress(): Progress {
    const { description, unit } = this.#settings;
    return {
      description: plain(description),
      unit: plain(unit),
      done: this.#source.doneCount,
      total: this.#total ?? this.#source.totalCount,
      elapsed: now() - this.#startedAt,
    };
  }

  #tellRemote(line?: string): void {
    const throttle = this.#settings.throttle ?? BAR_TIME;
    this.#remote?.bar({ id: this.#id, progress: this.#progress, line, throttle });
  }

  /** Prints a line, where there is something new. */
  #printProgress(): void {
    const progress = this.#progress;
    if (progress.done === this.#printed) return;
    this.#printed = progress.done;
    this.#print(lineText(progress));
  }

  #print(text: string): void {
    const { stream } = this.#settings;
    if (stream === undefined) printLine(text);
    else this.#write(stream, `${text}\n`);
  }
}

/** Begins to show how far a call is: see the constructor of {@link ProgressReport}. */
export function createReport(...args: ConstructorParameters<typeof ProgressReport>): ProgressReport {
  return new ProgressReport(...args);
}
