/** Apart from the messages, since a call is described before anything of these is loaded. */

/** How a chunk's function is called. */
export const CallMode = {
  /** `fn(value, context)`, one result. */
  Map: 0,
  /** `fn(...value, context)`, one result. */
  Apply: 1,
  /** `fn(value, context)` returns something iterable or observable, whose values are sent as they come. */
  Merge: 2,
} as const;

export type CallMode = (typeof CallMode)[keyof typeof CallMode];
