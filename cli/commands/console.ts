// `penstock console`: the page of a deployed stage, served on this machine.
import { MistakeError } from '../../terminal/mistake.ts';
import { type Command, isGiven, textOf } from '../words.ts';

export const consoleCommand: Command = {
  name: 'console',
  summary: 'shows a deployed stage as a page in your browser; changes nothing unless it is allowed to',
  about: [
    'It prints an address and stays. The page is served on this machine alone, and asks AWS with your credentials. Ctrl-C ends it.',
    'The part of the address behind # is a token. Without it neither a browser nor a program of this machine is answered.',
    'The page asks while somebody looks at it: the status every 30 seconds, the executions every 10, CloudWatch every 60. The health check runs when you press its button.',
    'With --allow-actions the page can send dead letters again, and apply a manifest of this folder (pipelines/*.json). Each shows first what it would do, and asks for the name of the stage. A production sandbox needs its name, too.',
    'On this machine, penstock dev prints the address of a page that shows more.',
  ],
  options: [
    {
      name: 'stage',
      value: 'STAGE',
      summary: 'the deployed stack, with AWS credentials as the SDK finds them',
    },
    { name: 'region', value: 'REGION', summary: 'the region of the stack, where the SDK finds another' },
    {
      name: 'allow-actions',
      summary: 'lets the page redrive and apply; without it the page only reads',
    },
    { name: 'port', value: 'N', summary: 'the port on this machine (any free one)' },
  ],
  examples: [
    'penstock console --stage prod',
    'penstock console --stage prod --region eu-west-1 --port 4020',
    'penstock console --stage prod --allow-actions',
  ],
  isChanging: (given) => isGiven(given, 'allow-actions'),
  endsItself: true,
  async run(context, given) {
    const stage = textOf(given, 'stage');
    if (stage === undefined)
      throw new MistakeError(
        'USAGE',
        'console shows a deployed stage, and --stage names none',
        'penstock console --stage STAGE. On this machine, penstock dev prints the address of its page.',
      );
    const port = portIn(textOf(given, 'port') ?? '0');
    const { serveStage } = await import('../console/serve.ts');
    await serveStage(context, { stage, port, hasActions: isGiven(given, 'allow-actions') });
    return 130;
  },
};

/** @throws MistakeError `USAGE` */
function portIn(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new MistakeError(
    'USAGE',
    `--port: expected a number up to 65535; found "${text}"`,
    'penstock console --help',
  );
}
