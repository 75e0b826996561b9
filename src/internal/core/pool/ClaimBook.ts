/**
 * Which of a worker's chunks have a place where their values are claimed: the pool's side of `protocol/claims.ts`.
 *
 * A worker has one piece of memory for all its chunks: a buffer per chunk would be allocated, cloned and collected with each message. A place
 * is used again once the worker has seen what became of it.
 */

import { CLAIM_PLACES, MOST_CLAIMS, NO_PLACE, type Claims } from '../../protocol/claims.js';
import type { Chunk } from '../job/Chunk.js';

export class ClaimBook {
  readonly #claims: Claims;
  readonly #free = Array.from({ length: CLAIM_PLACES }, (_, place) => place);
  /** The places of chunks, by their numbers. */
  readonly #places = new Map<number, number>();
  /** Chunks of which values were taken back, as the worker has yet to find out: their places are not free. */
  readonly #unseen = new Set<number>();

  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** Whether the worker has chunks of which it does not know that values were taken back. */
  get hasUnseen(): boolean {
    return this.#unseen.size > 0;
  }

  /** Gives a chunk a place. @returns `NO_PLACE` where there is none. */
  open({ id, values }: Chunk): number {
    if (values.length > MOST_CLAIMS) return NO_PLACE;
    const place = this.#free.pop();
    if (place === undefined) return NO_PLACE;
    this.#places.set(id, place);
    this.#claims.open(place);
    return place;
  }

  /** How many values of a chunk the worker has begun; `undefined` where they are not claimed. */
  begun({ id, values }: Chunk): number | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : Math.min(this.#claims.count(place), values.length);
  }

  /**
   * Takes back what is not begun of a chunk.
   *
   * @param least The worker keeps at least this many values.
   * @returns How many it has; `undefined` where they are not claimed.
   */
  limit({ id, values }: Chunk, least: number): number | undefined {
    const place = this.#places.get(id);
    if (place === undefined) return undefined;
    const limit = this.#claims.limit(place, least);
    if (limit >= values.length) return values.length;
    this.#unseen.add(id);
    return limit;
  }

  /** The worker has found out, or has ended the chunk otherwise. */
  onSeen(id: number): void {
    if (this.#unseen.delete(id)) this.#vacate(id);
  }

  /** The worker is through with a chunk. */
  close({ id }: Chunk): void {
    if (!this.#unseen.has(id)) this.#vacate(id);
  }

  #vacate(id: number): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#free.push(place);
  }
}
