// A stack of `npm start` as its page looks at it.
import type { RedriveAnswer } from '../../lib/redrive/request.ts';
import type { Watched } from '../page/watched.ts';
import { publishedNow } from './expected.ts';
import { functionName } from './functions.ts';
import type { Stack } from './stack.ts';

export function watchedOf(stack: Stack): Watched {
  return {
    ...stack,
    streams: {
      client: stack.kinesis,
      arn: (name) => stack.aws.kinesis.streamArn(name),
      published: (streamArn) => publishedNow(stack, streamArn),
    },
    async redrive(request) {
      const result = await stack.aws.functions.invoke(functionName('redrive'), request);
      if ('error' in result) throw new Error(result.error.errorMessage);
      return result.ok as RedriveAnswer;
    },
  };
}
