// The lean zod with the messages of the usual one. The forwarder uses it, because its schemas make cold
// starts faster.
import { config } from 'zod/mini';
import english from 'zod/v4/locales/en.js';

config(english());

export * from 'zod/mini';
