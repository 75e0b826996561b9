// The least that a worker can be: it answers a number with the next one.
import { parentPort } from 'node:worker_threads';

if (parentPort === null) process.on('message', (n) => process.send(n + 1));
else parentPort.on('message', (n) => parentPort.postMessage(n + 1));
