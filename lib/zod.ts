// zod in its lean form, with the messages of its usual one: what the forwarder is checked by, because its schemas cost a
// cold start far less to make.
import { config } from 'zod/mini';
import english from 'zod/v4/locales/en.js';

config(english());

export * from 'zod/mini';
