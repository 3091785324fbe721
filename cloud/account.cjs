// Fits the stack into an existing account: its network, proxy, key, tags, permissions boundary, topic and
// thresholds.
const { given, pairs } = require('./parameters.cjs');

/**
 * What Lambda does in a network with a function's role. AWS: AWSLambdaVPCAccessExecutionRole, without its
 * logs.
 */
const INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Users give ages in seconds; AWS counts them in milliseconds. */
const isAge = (alarm) => alarm.Properties.MetricName === 'IteratorAge';

const listed = (text) => text.split(',').map((one) => one.trim());
const isSet = (value) => value !== undefined && value !== 'none';

/**
 * Changes the packaged template by the parameters that are set.
 * @throws Error if the template does not have what a parameter is about
 */
function adapt(template, parameters) {
  const { Resources } = template;
  const ofType = (type) => Object.values(Resources).filter(({ Type }) => Type === type);
  const functions = ofType('AWS::Lambda::Function');
  const variables = {
    ...(isSet(parameters.httpsProxy) && { HTTPS_PROXY: parameters.httpsProxy }),
    ...(isSet(parameters.noProxy) && { NO_PROXY: parameters.noProxy }),
    ...(isSet(parameters.tags) && { PENSTOCK_TAGS: parameters.tags }),
  };
  for (const { Properties } of functions) Object.assign(Properties.Environment.Variables, variables);
  if (isSet(parameters.subnetIds)) intoNetwork(functions, Resources, parameters);
  if (isSet(parameters.permissionsBoundary))
    for (const { Properties } of ofType('AWS::IAM::Role'))
      Properties.PermissionsBoundary = parameters.permissionsBoundary;
  if (isSet(parameters.kmsKeyArn)) {
    remove(template, ['Key', 'KeyAlias']);
    replace(template, 'Key', parameters.kmsKeyArn);
    template.Outputs.KeyArn.Description = 'Key of all that is kept: it was there before the stack';
  }
  if (isSet(parameters.alarmTopic)) {
    remove(template, ['AlarmTopic', 'AlarmTopicPolicy', 'AlarmEmail']);
    replace(template, 'AlarmTopic', parameters.alarmTopic);
    template.Outputs.Alarms.Description = 'Topic of all alarms: it was there before the stack';
  }
  if (isSet(parameters.alarmThresholds))
    setThresholds(ofType('AWS::CloudWatch::Alarm'), Resources.Dashboard, parameters.alarmThresholds);
}

/** Lambda makes the interfaces with the function's role; the function's own code may not. */
function intoNetwork(functions, Resources, { subnetIds, securityGroupIds }) {
  for (const { Properties } of functions) {
    Properties.VpcConfig = { SubnetIds: listed(subnetIds), SecurityGroupIds: listed(securityGroupIds) };
    const { Policies } = Resources[Properties.Role['Fn::GetAtt'][0]].Properties;
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html, "Required IAM permissions", with its deny
    const self = {
      'Fn::Sub': `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${Properties.FunctionName}`,
    };
    Policies.push({
      PolicyName: 'network',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          // EC2 cannot limit a list to a resource, and the interfaces have no name before they exist.
          { Effect: 'Allow', Action: INTERFACES, Resource: '*' },
          {
            Effect: 'Deny',
            Action: INTERFACES,
            Resource: '*',
            Condition: { ArnEquals: { 'lambda:SourceFunctionArn': self } },
          },
        ],
      },
    });
  }
}

/** By the alarm's name without service and stage; the text says which number holds, and names no other. The dashboard's lines are of the same names. */
function setThresholds(alarms, dashboard, thresholds) {
  for (const [name, value] of Object.entries(pairs(thresholds))) {
    const alarm = alarms.find(({ Properties }) => Properties.AlarmName.endsWith(`-${name}`));
    const unit = isAge(alarm) ? ' seconds' : '';
    const said = ` Set here: above ${value}${unit}.`;
    const { AlarmDescription: text } = alarm.Properties;
    alarm.Properties.AlarmDescription =
      typeof text === 'string' ? text + said : { 'Fn::Sub': text['Fn::Sub'] + said };
    alarm.Properties.Threshold = Number(value) * (isAge(alarm) ? 1000 : 1);
    const { DashboardBody: body } = dashboard.Properties;
    body['Fn::Sub'] = body['Fn::Sub'].replace(
      new RegExp(`("label": "${name}", "value": )\\d+`),
      `$1${alarm.Properties.Threshold}`,
    );
  }
}

function remove({ Resources }, ids) {
  for (const id of ids) {
    if (Resources[id] === undefined) throw new Error(`the template has no ${id} to take out`);
    delete Resources[id];
  }
}

/** Puts the ARN in the place of each reference to the resource. */
function replace(template, id, arn) {
  const isIt = (one) =>
    one.Ref === id || ['Arn', 'TopicArn'].some((name) => String(one['Fn::GetAtt']) === `${id},${name}`);
  const walk = (one) => {
    if (typeof one === 'string' && new RegExp(`\\$\\{${id}[.}]`).test(one))
      throw new Error(`${one} refers to ${id}`);
    if (typeof one !== 'object' || one === null) return one;
    if (isIt(one)) return arn;
    for (const [key, value] of Object.entries(one)) one[key] = walk(value);
    return one;
  };
  walk(template);
}

module.exports = class Account {
  constructor(serverless) {
    const parameters = () => given(serverless, serverless.service.provider.stage);
    this.hooks = {
      // CloudFormation gives the stack's tags to all that it makes.
      initialize: () => {
        const { tags } = parameters();
        if (isSet(tags)) serverless.service.provider.stackTags = pairs(tags);
      },
      'after:aws:package:finalize:mergeCustomProviderResources': () =>
        adapt(serverless.service.provider.compiledCloudFormationTemplate, parameters()),
    };
  }
};
module.exports.adapt = adapt;
module.exports.INTERFACES = INTERFACES;
