/** The start methods by name, apart from what is said of them. */

/** The ways to start a worker; the only list of them. */
export const startMethodNames = ['threading', 'spawn', 'forkserver', 'fork', 'inline'] as const;
