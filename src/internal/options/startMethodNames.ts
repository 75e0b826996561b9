/** The names of the start methods. */

/** The only list of start methods. */
export const startMethodNames = ['threading', 'spawn', 'forkserver', 'fork', 'inline'] as const;
