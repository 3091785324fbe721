// Consumers with enhanced fan-out, which kinesalite knows nothing of: registered, described, listed and removed here.
//
// By AWS's model of the four operations. SubscribeToShard is not simulated: a trigger that names a consumer is read with
// GetRecords here, so it shares the shard's throughput with all other readers.

type Fields = Record<string, unknown>;

interface Consumer {
  readonly ConsumerName: string;
  readonly ConsumerARN: string;
  readonly StreamARN: string;
  readonly createdAt: number;
  removedAt?: number;
}

export interface ConsumersOptions {
  /** The ARN of a stream that there is. @throws Error of Kinesis where there is none */
  readonly streamArn: (name: string) => Promise<string>;
  /** How long one is CREATING or DELETING. */
  readonly transitionMs: number;
  readonly now?: () => number;
}

export interface KinesisConsumers {
  /** The answer to one of the four operations; nothing to any other. @throws Error with the name of Kinesis's own */
  answer(operation: string, fields: Fields): Promise<Fields> | undefined;
}

/** AWS: "Quotas and limits", consumers registered to a stream. */
const MAX_CONSUMERS = 20;

export function createKinesisConsumers({
  streamArn,
  transitionMs,
  now = Date.now,
}: ConsumersOptions): KinesisConsumers {
  let all: Consumer[] = [];

  function there(): Consumer[] {
    all = all.filter(({ removedAt }) => removedAt === undefined || now() < removedAt + transitionMs);
    return all;
  }

  function statusOf({ createdAt, removedAt }: Consumer): string {
    if (removedAt !== undefined) return 'DELETING';
    return now() < createdAt + transitionMs ? 'CREATING' : 'ACTIVE';
  }

  function described(one: Consumer): Fields {
    return {
      ConsumerName: one.ConsumerName,
      ConsumerARN: one.ConsumerARN,
      ConsumerStatus: statusOf(one),
      ConsumerCreationTimestamp: one.createdAt / 1000,
    };
  }

  async function found(fields: Fields): Promise<Consumer> {
    const { StreamName, ConsumerName, ConsumerARN } = fields;
    const stream = typeof StreamName === 'string' ? await streamArn(StreamName) : undefined;
    const one = there().find((each) =>
      ConsumerARN === undefined
        ? each.StreamARN === stream && each.ConsumerName === ConsumerName
        : each.ConsumerARN === ConsumerARN,
    );
    if (one !== undefined) return one;
    const what = ConsumerARN ?? `${ConsumerName} of ${stream}`;
    throw kinesisError('ResourceNotFoundException', `Consumer ${String(what)} not found.`);
  }

  async function register({ StreamName, ConsumerName }: Fields): Promise<Fields> {
    const StreamARN = await streamArn(String(StreamName));
    const name = String(ConsumerName ?? '');
    if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name))
      throw kinesisError('InvalidArgumentException', `${name} is no name of a consumer`);
    const others = there().filter((each) => each.StreamARN === StreamARN);
    if (others.some((each) => each.ConsumerName === name))
      throw kinesisError('ResourceInUseException', `Consumer ${name} of ${StreamARN} already exists.`);
    if (others.length >= MAX_CONSUMERS)
      throw kinesisError('LimitExceededException', `${StreamARN} has ${MAX_CONSUMERS} consumers already`);
    const createdAt = now();
    const ConsumerARN = `${StreamARN}/consumer/${name}:${Math.floor(createdAt / 1000)}`;
    const made = { ConsumerName: name, ConsumerARN, StreamARN, createdAt };
    all.push(made);
    return { Consumer: described(made) };
  }

  const operations: Readonly<Record<string, (fields: Fields) => Promise<Fields>>> = {
    RegisterStreamConsumer: register,
    DescribeStreamConsumer: async (fields) => {
      const one = await found(fields);
      return { ConsumerDescription: { ...described(one), StreamARN: one.StreamARN } };
    },
    DeregisterStreamConsumer: async (fields) => {
      (await found(fields)).removedAt ??= now();
      return {};
    },
    ListStreamConsumers: async ({ StreamName }) => {
      const StreamARN = await streamArn(String(StreamName));
      return {
        Consumers: there()
          .filter((each) => each.StreamARN === StreamARN)
          .map(described),
      };
    },
  };

  return {
    answer: (operation, fields) =>
      Object.hasOwn(operations, operation) ? operations[operation]?.(fields) : undefined,
  };
}

function kinesisError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
