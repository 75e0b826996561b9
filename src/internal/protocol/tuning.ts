/**
 * How values are grouped: every number that governs chunks, batches and turns.
 * `bench` shows what a change does. Times are in milliseconds.
 */

// --- chunks, in the pool

/** A chunk should keep a worker about this long, in milliseconds: a hundred times a message's cost. */
export const WORKER_TIME = 4;

/** Cloning a chunk should keep the sender no longer than this, in milliseconds. */
export const SEND_TIME = 1;

/** Beyond this a chunk gains no speed and costs memory: see `bench`. */
export const LARGEST_CHUNK = 4096;

/** A chunk grows by at most this factor over the last one, because the first values may be the quick ones. */
export const GROWTH = 4;

/** A chunk that takes longer than this, in milliseconds, is followed by a message's wait of 1% at most. */
export const LONGEST_CHUNK_AHEAD = 8;

/**
 * Chunks that are much shorter than the wait for a message queue up for this long, in milliseconds, and are this many at
 * most: a worker then takes several per turn of its event loop. With `chunkSize: 1` eight are twice as fast as one, and
 * more are no faster.
 */
export const TIME_AHEAD = 0.5;

export const MOST_CHUNKS_AHEAD = 8;

/** After this time without news, in milliseconds, a worker has to share its values if another one idles. */
export const OVERDUE_TIME = 10;

/** By default, this many times what the workers hold may be under way, of an input that is pulled. */
export const WINDOW = 2;

/** A typed array is cut into this many pieces for each worker by default, as in MPIRE, so that all workers end at the same time. */
export const SPLITS_PER_WORKER = 64;

// --- batches, in a worker

/** A batch of results waits this long at most, in milliseconds, for others to travel with. */
export const BATCH_TIME = 4;

/** After this many milliseconds without a pause the event loop gets its turn. */
export const TURN_TIME = 12;

/** At most this many quick calls share one look at the clock, which costs as much as a small call. */
export const LARGEST_STRIDE = 16;

/** As many calls are made between two looks at the clock as fit into this many milliseconds. */
export const STRIDE_TIME = 0.1;

// --- insights, in a worker: calls are measured one by one, but quick ones together

/** As many calls are measured together as fit into this many milliseconds: a look at the clock then costs 1% of them. */
export const LAP_TIME = 0.01;

/** Among quick calls, one that takes this many milliseconds stands out. */
export const SLOW_LAP = 0.02;

/** Memory is measured once in this many milliseconds, because that costs as much as a message. */
export const MEMORY_TIME = 100;

// --- what calls of `parallelMergeMap` yield

/** Batches that may be under way at once. */
export const CREDITS = 4;

export const LARGEST_BATCH = 1024;

// --- messages

/** For this many milliseconds a thread takes message after message in one event: the event is most of the cost of a message. */
export const DRAIN_TIME = 4;
