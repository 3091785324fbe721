// What AWS was recorded doing with answers to Kinesis batches, as data.
//
// From LocalStack's suite, which records against AWS: tests/aws/services/lambda_/event_source_mapping,
// test_lambda_integration_kinesis.snapshot.json (recorded 2024-10-12 and later).

/** Settings of the mappings with which the twelve answers were recorded: one record, two retries. */
export const RECORDED_SETTINGS = {
  BatchSize: 1,
  MaximumRetryAttempts: 2,
  FunctionResponseTypes: ['ReportBatchItemFailures'],
} as const;

/** `test_kinesis_report_batch_item_success_scenarios`: one invocation, no document. */
export const SUCCESSES: readonly (readonly [name: string, answer: unknown])[] = [
  ['empty_string_success', ''],
  ['empty_list_success', []],
  ['null_success', null],
  ['empty_dict_success', {}],
  ['empty_batch_item_failure_success', { batchItemFailures: [] }],
  ['null_batch_item_failure_success', { batchItemFailures: null }],
];

/** A function that throws instead of answering. */
export const THROWS = Symbol('throws');

/** `test_kinesis_report_batch_item_failure_scenarios`: three invocations, then a document with that functionError. */
export const FAILURES: readonly (readonly [
  name: string,
  answer: unknown,
  functionError: 'Unhandled' | null,
])[] = [
  ['item_identifier_not_present_failure', { batchItemFailures: [{ itemIdentifier: 123 }] }, null],
  ['empty_string_item_identifier_failure', { batchItemFailures: [{ itemIdentifier: '' }] }, null],
  ['null_item_identifier_failure', { batchItemFailures: [{ itemIdentifier: null }] }, null],
  ['invalid_key_foo_failure', { batchItemFailures: [{ foo: 123 }] }, null],
  ['invalid_key_foo_null_value_failure', { batchItemFailures: [{ foo: null }] }, null],
  ['unhandled_exception_in_function', THROWS, 'Unhandled'],
];
