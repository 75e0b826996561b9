import { createHash } from 'node:crypto';
import { roundTo } from './rounding';

export const currency = 'EUR';
let calls = 0;

export function withTax(net: number): number {
  calls++;
  return roundTo(net * 1.19, 2);
}

export const count = (): number => calls;

export const sha = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 8);

export class Account {
  static readonly bank = 'ours';
  #balance: number;
  constructor(balance: number) {
    this.#balance = balance;
  }
  get balance(): number {
    return this.#balance;
  }
  deposit(amount: number): this {
    this.#balance += amount;
    return this;
  }
}

export class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  plus(other: Point): Point {
    return new Point(this.x + other.x, this.y + other.y);
  }
}

export default function gross(net: number): string {
  return `${withTax(net)} ${currency}`;
}
