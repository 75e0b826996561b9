/**
 * Shows how far one call is: as a bar on a terminal, else as a line now and then. It looks at the call when it is time to show
 * something, so that values cost nothing.
 */

import type { ProgressBarSettings } from '../../options.js';
import { clearInterval, now, setInterval } from '../globals.js';
import { currentWorker } from '../runtime/identity.js';
import { printLine } from './printLine.js';
import { checkPackage, screenOf, tryToWrite, type Bar, type Screen } from './Screen.js';
import { barText, endText, lineText, plain, type Progress, type ProgressEnd } from './text.js';

/** Milliseconds between two pictures on a terminal, and between two lines elsewhere. */
const BAR_TIME = 100;
const LINE_TIME = 5000;

/** What is looked at. */
export interface ProgressSource {
  readonly doneCount: number;
  /** How many values there are, once that is known. */
  readonly totalCount: number | undefined;
}

/** Checks that progress can be shown. @throws Error where a package is missing. */
export function checkReport(settings: ProgressBarSettings | undefined): void {
  if (settings !== undefined && hasBar(settings)) checkPackage();
}

/** A worker does not know what else is on the terminal: it has no bars. */
function hasBar({ stream }: ProgressBarSettings): boolean {
  if (currentWorker() !== undefined) return false;
  return stream === undefined ? process.stderr.isTTY && process.env['TERM'] !== 'dumb' : stream.isTTY === true;
}

export class ProgressReport {
  readonly #settings: ProgressBarSettings;
  readonly #source: ProgressSource;
  readonly #total: number | undefined;
  readonly #startedAt = now();
  readonly #bar: Bar = (columns) => barText(this.#progress, columns);
  readonly #screen: Screen | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
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
    if (hasBar(settings)) {
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
    if (this.#screen === undefined) this.#print(text);
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
    else tryToWrite(stream, `${text}\n`);
  }
}
