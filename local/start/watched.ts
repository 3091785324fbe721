// A stack of `npm start` as its page looks at it.
import type { Watched } from '../page/watched.ts';
import { publishedNow } from './expected.ts';
import type { Stack } from './stack.ts';

export function watchedOf(stack: Stack): Watched {
  return {
    ...stack,
    streams: {
      client: stack.kinesis,
      arn: (name) => stack.aws.kinesis.streamArn(name),
      published: (streamArn) => publishedNow(stack, streamArn),
    },
  };
}
