// Checks the stage and the deploy parameters before packaging: a misspelt parameter would silently keep its
// default.

const text = (pattern, expected) => ({ test: (value) => pattern.test(value), expected });
const oneOf = (...words) => ({
  test: (value) => words.includes(value),
  expected: `one of ${words.join(', ')}`,
});
const list = ({ test, expected }) => ({
  test: (value) => value.split(',').every((one) => test(one)),
  expected: `${expected}; several are separated by commas`,
});
const orNone = ({ test, expected }) => ({
  test: (value) => value === 'none' || test(value),
  expected: `none, or ${expected}`,
});
const whole = (least, most) => ({
  test: (value) => /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most,
  expected: `a whole number from ${least} to ${most}`,
});

// Pseudo parameters such as `${AWS::Region}` are allowed if the template resolves them.
const PART = '(?:[\\w*-]|\\$\\{AWS::\\w+\\})*';
const streamArn = text(
  new RegExp(`^arn:${PART}:kinesis:${PART}:${PART}:stream/[\\w.*-]{1,128}$`),
  "a stream's ARN, such as arn:aws:kinesis:eu-west-1:123456789012:stream/clicks, in which * stands for any characters",
);
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
const secret = text(/^[\w/+=.@-]{1,512}$/, 'the name of a secret, not its ARN');
const origin = text(/^https?:\/\/[^\s/?#@,]+$/, 'a URL without a path, such as https://platform.adobe.io');
const schedule = text(
  /^(rate\([1-9]\d* (minutes?|hours?|days?)\)|cron\([^)]+\))$/,
  'rate(15 minutes) or a cron(…) expression',
);
const HOST = '[A-Za-z0-9*._-]+|\\[[0-9A-Fa-f:]+\\]';
const arn = (service, resource, expected) =>
  text(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`), expected);

/** `a=1,b=2` as an object. */
function pairs(given) {
  return Object.fromEntries(
    given.split(',').map((one) => {
      const at = one.indexOf('=');
      return [one.slice(0, at).trim(), one.slice(at + 1).trim()];
    }),
  );
}

/** The alarms of cloud/alarms.yml; a test looks for each. */
const ALARMS = [
  'batches-unreadable',
  'execution-failed',
  'execution-throttled',
  'forwarder-behind',
  'forwarder-fails',
  'function-fails',
  'hook-fails',
  'miscounted',
  'moved',
  'no-token',
  'not-kept',
  'old-client-secret',
  'records-about-to-be-lost',
  'records-lost',
  'records-parked',
  'records-refused',
  'records-refused-later',
  'records-rejected',
  'replies-unclear',
  'shard-held',
  'throttled',
];
const yesNo = oneOf('yes', 'no');

/** By name: whether a value is allowed, and what is expected otherwise. docs/deploy.md explains each. */
const PARAMETERS = {
  streamArns: list(streamArn),
  stream: orNone(text(/^[\w.-]{1,128}$/, 'the name of a stream to make')),
  credentialsSecret: secret,
  sourceSecrets: text(/^[\w/+=.@*-]{1,512}$/, 'the name of secrets, in which * stands for any characters'),
  inletOrigins: list(origin),
  platformUrl: origin,
  imsUrl: origin,
  alarmEmail: orNone(text(/^[^\s@,]+@[^\s@,]+$/, 'one e-mail address')),
  runbookUrl: orNone(text(/^https?:\/\/[^\s"'#]+$/, 'the URL of a page, without an anchor')),
  glueSchemaRegistry: yesNo,
  driftSchedule: schedule,
  reconcileSchedule: schedule,
  hookUrl: yesNo,
  hookSecret: secret,
  // lib/manifest.ts: the name of a pipeline.
  hookStarts: text(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/, 'all, or the name of a pipeline'),
  // https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments
  hookEnvironments: list(text(/^[^\s,](?:[^,\p{Cc}]{0,253}[^\s,])?$/u, 'all, or the name of an environment')),
  hookManifests: yesNo,
  hookConcurrency: whole(1, 1000),
  codePipeline: orNone(text(/^[\w.@-]{1,100}$/, 'the name of a pipeline of CodePipeline')),
  codeDeployApplication: orNone(text(/^[^\s/]{1,100}$/, 'the name of an application of CodeDeploy')),
  cloudFormationStack: orNone(text(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'the name of a stack')),
  shortWaits: yesNo,
  deadLetterDays: whole(1, 36_500),
  // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
  logRetentionInDays: oneOf(
    ...'1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653'.split(' '),
  ),
  logLevel: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
  tracing: oneOf('Active', 'PassThrough'),
  forwardConcurrency: whole(1, 1000),
  httpsProxy: orNone(
    text(
      /^https?:\/\/([^\s/?#@]+@)?[^\s/?#@,]+\/?$/,
      'a URL without a path, such as http://proxy.example.com:3128',
    ),
  ),
  noProxy: orNone(
    list(text(new RegExp(`^(${HOST})(:\\d{1,5})?$`), 'a host, with its port where only that is meant')),
  ),
  subnetIds: orNone(
    list(text(/^subnet-[0-9a-f]{8,17}$/, 'the id of a subnet, such as subnet-0123456789abcdef0')),
  ),
  securityGroupIds: orNone(
    list(text(/^sg-[0-9a-f]{8,17}$/, 'the id of a security group, such as sg-0123456789abcdef0')),
  ),
  kmsKeyArn: orNone(arn('kms', 'key/[\\w-]+', 'the ARN of a key, not of an alias')),
  // https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html; 40 are left of a resource's 50.
  tags: orNone({
    test: (value) => {
      const entries = value.split(',');
      const isTag = (one) => /^(?!aws:)[\w .:/+@-]{1,128}=[\w .:/+@=-]{0,256}$/i.test(one);
      return (
        entries.every(isTag) && entries.length <= 40 && Object.keys(pairs(value)).length === entries.length
      );
    },
    expected: 'up to 40 different tags, such as team=data,cost-centre=42',
  }),
  permissionsBoundary: orNone(
    text(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/, 'the ARN of a managed policy'),
  ),
  alarmTopic: orNone(arn('sns', '[\\w-]{1,256}', 'the ARN of a topic')),
  alarmThresholds: orNone({
    test: (value) =>
      value.split(',').every((one) => /^[^=]+=\d{1,9}$/.test(one)) &&
      Object.keys(pairs(value)).every((name) => ALARMS.includes(name)),
    expected: `names of alarms with whole numbers, such as forwarder-behind=600,records-rejected=10; the names are ${ALARMS.join(', ')}`,
  }),
};

/**
 * The longest name with the stage is that of a rule of EventBridge: penstock-{stage}-hook-cloudformation, of
 * at most 64 characters.
 */
const STAGE_LENGTH = 64 - 'penstock--hook-cloudformation'.length;

/** What is wrong with a stage, in a sentence; nothing where all is well. */
function stageMistake(stage) {
  if (/^[A-Za-z][A-Za-z0-9-]*$/.test(stage) && stage.length <= STAGE_LENGTH) return undefined;
  return `stage: found "${stage}"; expected 1 to ${STAGE_LENGTH} letters, digits and hyphens, first a letter`;
}

/** What is wrong with a stage and its parameters, a line each; nothing where all is well. `region` is the stack's, where it is known. */
function mistakes(stage, parameters, region) {
  const wrong = [stageMistake(stage)].filter((one) => one !== undefined);
  for (const [name, value] of Object.entries(parameters)) {
    if (!Object.hasOwn(PARAMETERS, name))
      wrong.push(
        `${name}: there is no such parameter${nearest(name)}; known are ${Object.keys(PARAMETERS).join(', ')}`,
      );
    else if (!PARAMETERS[name].test(String(value)))
      wrong.push(`${name}: found "${value}"; expected ${PARAMETERS[name].expected}`);
  }
  return [...wrong, ...together(parameters), ...elsewhere(parameters, region)];
}

/** A function's key and an alarm's topic have to be in the stack's region. */
function elsewhere(parameters, region) {
  return ['kmsKeyArn', 'alarmTopic'].flatMap((name) => {
    const value = String(parameters[name] ?? 'none');
    const there = value.split(':')[3];
    if (region === undefined || !PARAMETERS[name].test(value) || value === 'none' || there === region)
      return [];
    return [`${name}: found "${value}"; expected one of the stack's region, ${region}`];
  });
}

/** Parameters that exclude or need each other. */
function together({
  subnetIds = 'none',
  securityGroupIds = 'none',
  alarmTopic = 'none',
  alarmEmail = 'none',
  ...others
}) {
  const { httpsProxy = 'none', noProxy = 'none' } = others;
  const wrong = [];
  if ((subnetIds === 'none') !== (securityGroupIds === 'none'))
    wrong.push('subnetIds, securityGroupIds: found one without the other; expected both, or neither');
  if (alarmTopic !== 'none' && alarmEmail !== 'none')
    wrong.push(
      'alarmEmail: found beside alarmTopic; expected a subscription to that topic, which is not the stack’s',
    );
  if (noProxy !== 'none' && httpsProxy === 'none')
    wrong.push('noProxy: found without httpsProxy; expected httpsProxy as well, or neither');
  return wrong;
}

function nearest(name) {
  const plain = (one) => one.toLowerCase().replace(/[^a-z]|s$/g, '');
  const found = Object.keys(PARAMETERS).find(
    (one) => plain(one).startsWith(plain(name)) || plain(name).startsWith(plain(one)),
  );
  return found === undefined ? '' : `, did you mean ${found}?`;
}

/**
 * `--param name=value`, and those that serverless.yml sets for the stage. An empty parameter counts as not
 * set.
 */
function given({ processedInput, configurationInput }, stage) {
  const kept = { ...configurationInput.params?.default, ...configurationInput.params?.[stage] };
  const asked = [processedInput.options.param ?? []].flat().map((one) => {
    const at = one.indexOf('=');
    return at < 0 ? [one, ''] : [one.slice(0, at), one.slice(at + 1)];
  });
  const entries = Object.entries({ ...kept, ...Object.fromEntries(asked) });
  // Values that another variable fills in are known only later: `${sls:stage}` is checked as the stage.
  return Object.fromEntries(
    entries.filter(
      ([, value]) => value !== null && value !== undefined && !/\$\{(?!AWS::)/.test(String(value)),
    ),
  );
}

/** Commands that package. Others, such as `info` and `remove`, need no parameters. */
const PACKAGING = ['package', 'deploy'];

module.exports = class Parameters {
  constructor(serverless) {
    const check = () => {
      const stage = serverless.service.provider.stage;
      const wrong = mistakes(stage, given(serverless, stage), serverless.service.provider.region);
      if (wrong.length === 0) return;
      throw new serverless.classes.Error(
        `The deploy parameters are wrong; nothing was packaged.\n- ${wrong.join('\n- ')}`,
        'PENSTOCK_PARAMETERS',
      );
    };
    // The framework checks the configuration before any hook runs, and its messages name no parameter.
    this.asyncInit = async () => {
      if (PACKAGING.includes(serverless.processedInput.commands[0])) check();
    };
    this.hooks = { 'before:package:cleanup': check };
  }
};
module.exports.PARAMETERS = PARAMETERS;
module.exports.STAGE_LENGTH = STAGE_LENGTH;
module.exports.mistakes = mistakes;
module.exports.stageMistake = stageMistake;
module.exports.given = given;
module.exports.pairs = pairs;
module.exports.ALARMS = ALARMS;
