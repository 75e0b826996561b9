/** Flags that Node does not start a worker with: said so that one knows which option they come from. */

/** What Node ends with where it refuses a flag. */
const INVALID_ARGUMENT = 9;

/**
 * Why a process has ended before it was up, where that may be because of its flags; else `undefined`.
 *
 * @param given The option `execArgv`; without it, workers have the flags of their program.
 * @param flags What it was started with.
 * @param env Its environment.
 */
export function refusalOfProcess(
  exitCode: number | null,
  given: readonly string[] | undefined,
  flags: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Error | undefined {
  const { NODE_OPTIONS: options = '' } = env;
  if (exitCode !== INVALID_ARGUMENT || (flags.length === 0 && options === '')) return undefined;
  const sources = [
    flags.length > 0 && (given === undefined ? 'those of the program' : 'the option "execArgv"') + list(flags),
    options !== '' && `NODE_OPTIONS ${JSON.stringify(options)}`,
  ];
  return new Error(
    `its process ended with exit code ${exitCode}, as Node.js does when it refuses a flag. Its flags are ` +
      `${sources.filter((source) => source !== false).join(' and ')}; "node --help" lists the known ones`,
  );
}

/** What a thread could not be made with, in other words where that was its flags. */
export function refusalOfThread(error: unknown, given: readonly string[] | undefined): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') return error;
  const source = given === undefined ? '' : ` The option "execArgv" is${list(given)}.`;
  const refusal = new Error(
    `${message}.${source} A flag that applies to a whole process needs a start method with processes, such as 'spawn'`,
    { cause: error },
  );
  return Object.assign(refusal, { code });
}

function list(flags: readonly string[]): string {
  return ` ${JSON.stringify(flags)}`;
}
