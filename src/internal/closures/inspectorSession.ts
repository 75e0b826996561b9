/** A session with V8's inspector, of this thread with itself: no port is opened, and no debugger notices. */

import { createRequire } from 'node:module';
import type { Session } from 'node:inspector';

/** Opens a session; `undefined` where this Node has no inspector, or does not allow it. */
export function openSession(): Session | undefined {
  try {
    const inspector = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
    const session = new inspector.Session();
    session.connect();
    return session;
  } catch {
    return undefined; // built without it, or forbidden by the permission model
  }
}
