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
  /** Chunks with values that were taken back, which the worker has not noticed yet: their places are not free. */
  readonly #unseen = new Set<number>();

  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** Whether values of some chunk were taken back without the worker having noticed. */
  get hasUnseen(): boolean {
    return this.#unseen.size > 0;
  }

  /** Gives a chunk a place. @returns `NO_PLACE` if none is free. */
  open({ id, values }: Chunk): number {
    if (values.length > MOST_CLAIMS) return NO_PLACE;
    const place = this.#free.pop();
    if (place === undefined) return NO_PLACE;
    this.#places.set(id, place);
    this.#claims.open(place);
    return place;
  }

  /** How many values of a chunk the worker has begun; `undefined` if they are not claimed. */
  begun({ id, values }: Chunk): number | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : Math.min(this.#claims.count(place), values.length);
  }

  /**
   * Takes back the values of a chunk that the worker has not begun.
   *
   * @param least The worker keeps at least this many values.
   * @returns How many it keeps; `undefined` if they are not claimed.
   */
  limit({ id, values }: Chunk, least: number): number | undefined {
    const place = this.#places.get(id);
    if (place === undefined) return undefined;
    const limit = this.#claims.limit(place, least);
    if (limit >= values.length) return values.length;
    this.#unseen.add(id);
    return limit;
  }

  /** The worker has noticed, or has ended the chunk. */
  onSeen(id: number): void {
    if (this.#unseen.delete(id)) this.#vacate(id);
  }

  /** The worker is done with a chunk. */
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
