/** The file descriptors of a `spawn` worker. */

/** The channel. */
export const CHANNEL = 3;
/** A pipe that says nothing, and closes when the program ends. */
export const LIFELINE = 4;
