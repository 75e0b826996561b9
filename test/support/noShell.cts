// Preloaded with `--require`, takes /bin/sh and setpriv away from a program and, as they inherit the flag, from its workers.
import fs = require('node:fs');
import nodeModule = require('node:module');

const { existsSync } = fs;
fs.existsSync = (path) => path !== '/bin/sh' && path !== '/usr/bin/setpriv' && existsSync(path);
nodeModule.syncBuiltinESMExports();
