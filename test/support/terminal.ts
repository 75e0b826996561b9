/** A terminal that is none: understands as much as bars need, and tells what one would see. */

export class Terminal {
  readonly isTTY = true;
  readonly columns: number;
  /** All that was written. */
  raw = '';
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(columns = 80) {
    this.columns = columns;
  }

  /** The lines that one would see, without those at the end that are empty. */
  get lines(): string[] {
    const lines = this.#lines.map((line) => line.trimEnd());
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  write(text: string): boolean {
    this.raw += text;
    // eslint-disable-next-line no-control-regex
    for (const [token] of text.matchAll(/\u001b\[[?\d;]*[A-Za-z]|[^]/gu)) this.#take(token);
    return true;
  }

  #take(token: string): void {
    if (token === '\n') {
      this.#row++;
      this.#column = 0;
      this.#lines[this.#row] ??= '';
    } else if (token === '\r') {
      this.#column = 0;
    } else if (token === '\u001b[2K') {
      this.#lines[this.#row] = '';
    } else if (token === '\u001b[G') {
      this.#column = 0;
    } else if (token === '\u001b[K') {
      this.#lines[this.#row] = this.#line.slice(0, this.#column);
    } else if (token.endsWith('A') && token.length > 1) {
      this.#row = Math.max(0, this.#row - Number(token.slice(2, -1) || 1));
    } else if (token.endsWith('B') && token.length > 1) {
      this.#row = Math.min(this.#lines.length - 1, this.#row + Number(token.slice(2, -1) || 1));
    } else if (token.startsWith('\u001b[?2026')) {
      // says that a picture begins or ends
    } else if (token.startsWith('\u001b')) {
      throw new Error(`This terminal does not know ${JSON.stringify(token)}.`);
    } else {
      if (this.#column >= this.columns) this.#take('\n');
      this.#lines[this.#row] =
        this.#line.slice(0, this.#column).padEnd(this.#column) + token + this.#line.slice(this.#column + 1);
      this.#column++;
    }
  }

  get #line(): string {
    return this.#lines[this.#row] as string;
  }
}
