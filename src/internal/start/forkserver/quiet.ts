/** Whether the user's code in a template has anything under way: only one of several copies could hear its end. */

import { now, setTimeout } from '../../platform/globals.js';

/** How long a template waits at most for what the user's modules have begun and not awaited, in milliseconds. */
const LIMIT = 1000;

/** Names of what comes to an end by itself. */
const requests = /Req|Request|ConnectWrap$/;
/** All but the pipes of this process, and its terminal: timers, too. */
const anything = /^(?!PipeWrap$|TTYWrap$)/;

/** Calls back when all requests are answered, or have not been for too long. */
export function whenQuiet(callback: () => void): void {
  const limit = now() + LIMIT;
  const look = (): void => {
    if (!isUnderWay(requests) || now() > limit) callback();
    else setTimeout(look, 1);
  };
  look();
}

/** Whether there is nothing at all that may change what is loaded. */
export function isQuiet(): boolean {
  return !isUnderWay(anything);
}

function isUnderWay(kind: RegExp): boolean {
  return process.getActiveResourcesInfo().some((name) => kind.test(name));
}
