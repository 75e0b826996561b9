/** What a `spawn` worker preloads before what the user has it preload. */

import { CHANNEL } from './descriptors.js';
import { tellStartErrors } from './startErrors.js';

tellStartErrors(CHANNEL);
