// The settings of an event source mapping for Kinesis: read from a request, checked against AWS's limits.
import { AwsError } from './server.ts';
import type { StartingPosition } from './stream.ts';

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html; [default, lowest, highest].
// The API text wants a window of at least 1 s for a BatchSize above 10. The documented defaults for Kinesis are 100 and 0,
// so that rule is not applied.
const LIMITS = {
  BatchSize: [100, 1, 10_000],
  MaximumBatchingWindowInSeconds: [0, 0, 300],
  ParallelizationFactor: [1, 1, 10],
  MaximumRetryAttempts: [-1, -1, 10_000],
  MaximumRecordAgeInSeconds: [-1, -1, 604_800],
} as const;

type NumberSetting = keyof typeof LIMITS;

export interface MappingSettings extends Record<NumberSetting, number> {
  BisectBatchOnFunctionError: boolean;
  FunctionResponseTypes: string[];
  DestinationConfig: { OnFailure: { Destination?: string } };
}

export type MappingInput = Record<string, unknown>;

// A forwarder must not set these: a filter drops records silently, and a tumbling window changes the response contract.
const NOT_AVAILABLE = [
  'FilterCriteria',
  'TumblingWindowInSeconds',
  'ScalingConfig',
  'ProvisionedPollerConfig',
];

/** The settings after a request: what it does not mention stays, or is the default. */
export function readSettings(input: MappingInput, before?: MappingSettings): MappingSettings {
  for (const name of NOT_AVAILABLE) {
    if (input[name] !== undefined && input[name] !== 0) throw invalid(`${name} is not available locally.`);
  }
  const numbers = Object.fromEntries(
    Object.keys(LIMITS).map((name) => [name, readNumber(input, name as NumberSetting, before)]),
  ) as Record<NumberSetting, number>;
  const age = numbers.MaximumRecordAgeInSeconds;
  if (age !== -1 && age < 60) throw outOfRange('MaximumRecordAgeInSeconds', age, '-1, or 60 to 604800');
  return {
    ...numbers,
    BisectBatchOnFunctionError: readBoolean(input, before),
    FunctionResponseTypes: readResponseTypes(input, before),
    DestinationConfig: readDestination(input, before),
  };
}

function readNumber(input: MappingInput, name: NumberSetting, before: MappingSettings | undefined): number {
  const [fallback, lowest, highest] = LIMITS[name];
  const value = input[name] ?? before?.[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < lowest || value > highest) {
    throw outOfRange(name, value, `${lowest} to ${highest}`);
  }
  return value;
}

function readBoolean(input: MappingInput, before: MappingSettings | undefined): boolean {
  const value = input.BisectBatchOnFunctionError;
  return typeof value === 'boolean' ? value : (before?.BisectBatchOnFunctionError ?? false);
}

function readResponseTypes(input: MappingInput, before: MappingSettings | undefined): string[] {
  const value = input.FunctionResponseTypes ?? before?.FunctionResponseTypes ?? [];
  if (!Array.isArray(value) || value.some((type) => type !== 'ReportBatchItemFailures')) {
    throw invalid('FunctionResponseTypes may only hold ReportBatchItemFailures.');
  }
  return value;
}

function readDestination(
  input: MappingInput,
  before: MappingSettings | undefined,
): MappingSettings['DestinationConfig'] {
  const value = (input.DestinationConfig ?? before?.DestinationConfig ?? {}) as {
    OnFailure?: { Destination?: string };
  };
  return { OnFailure: value.OnFailure ?? {} };
}

/** Where a new mapping begins; required for a stream, and fixed for the mapping's life. */
export function readStartingPosition(input: MappingInput): StartingPosition {
  const type = input.StartingPosition;
  const timestamp = input.StartingPositionTimestamp;
  if (type === 'AT_TIMESTAMP') {
    if (typeof timestamp !== 'number') {
      throw invalid('StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP.');
    }
    return { type, timestamp: new Date(Math.round(timestamp * 1000)) };
  }
  if (timestamp !== undefined) {
    throw invalid('StartingPositionTimestamp is only allowed when StartingPosition is AT_TIMESTAMP.');
  }
  if (type === 'TRIM_HORIZON' || type === 'LATEST') return { type };
  throw invalid('StartingPosition must be TRIM_HORIZON, LATEST or AT_TIMESTAMP for a Kinesis stream.');
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}

function outOfRange(name: string, value: unknown, range: string): AwsError {
  return invalid(`Value ${JSON.stringify(value)} at '${name}' failed to satisfy constraint: ${range}`);
}
