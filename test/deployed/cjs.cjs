// Lambda finds a handler in a `.cjs` file by its name without an ending; MiniStack looks for what `require` finds, so it is told.
'use strict';
const Module = require('node:module');

Module._extensions['.cjs'] ??= Module._extensions['.js'];
