// The page of a deployed stage in a real browser, with a stand-in of AWS behind it.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Answer, AwsError } from '../support/aws-stand-in.ts';
import { DOCUMENT, livelyStage, type StartedConsole, startConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';
import { type Browser, launch, looksOfToday, looksRight, open, rowsOf } from './browser.ts';

let browser: Browser;
let started: StartedConsole | undefined;

afterEach(async () => {
  await browser.close();
  await started?.stop();
  started = undefined;
  vi.unstubAllEnvs();
});

/** The browser that was there before would keep what a test left in it. */
async function opened(
  options: Parameters<typeof open>[2] = {},
  answers: Readonly<Record<string, Answer | undefined>> = livelyStage(),
) {
  browser = await launch();
  started = await startConsole(answers);
  const { address, origin } = started;
  const page = { address, origin, close: async () => undefined };
  return { ...(await open(browser, page, options)), aws: started.aws };
}

describe('the page of a deployed stage', () => {
  it.each(looksOfToday())(
    'shows pipelines with their report, examined by keyboard, %s and %s',
    async (size, scheme) => {
      const { window, errors, aws } = await opened({ size, scheme });
      await window.getByText('stage prod in eu-west-1').waitFor();
      await window.getByText('3 pipelines').waitFor();
      const areas = await window.getByRole('navigation').getByRole('link').allTextContents();
      expect(areas).toEqual(['Pipelines', 'Runs', 'Dead letters', 'Charts']);
      await window
        .getByRole('listitem')
        .filter({ hasText: /create schema orders-schema.*created/ })
        .waitFor();
      await looksRight(window, `console-pipelines-${size}-${scheme}`);
      await window.getByRole('button', { name: 'Examine it' }).focus();
      await window.keyboard.press('Enter');
      await window.getByText('Switch it on.').waitFor();
      const examined = () => aws.calls.filter(({ input }) => (input as { doctor?: true }).doctor).length;
      expect(examined()).toBe(1);
      // The button has kept the focus while it was at work.
      await window.keyboard.press('Enter');
      await eventually(examined).toBe(2);
      await window.getByText('Switch it on.').waitFor();
      await looksRight(window, `console-examined-${size}-${scheme}`);
      expect(errors).toEqual([]);
    },
  );

  it.each(looksOfToday())(
    'leads from a pipeline to the execution that failed, with its states and its cause, %s and %s',
    async (size, scheme) => {
      const { window, errors } = await opened({ size, scheme });
      await window.getByRole('option', { name: /returns/ }).click();
      await window.getByRole('link', { name: 'Look at the execution' }).click();
      expect(new URL(window.url()).pathname).toBe('/runs/second');
      await window.getByRole('alert').getByText('Rename it.').waitFor();
      expect(await window.locator('.timeline > details').allTextContents()).toEqual([
        expect.stringMatching(/plan.*10 s.*taken/),
        expect.stringMatching(/warm-up.*32 s/),
      ]);
      await looksRight(window, `console-run-failed-${size}-${scheme}`);
      await window.getByText('What it was started with').first().click();
      await window.getByText('"mode": "apply"').waitFor();
      await window.getByRole('button', { name: 'Older executions' }).click();
      await window.getByText('3 executions').waitFor();
      await rowsOf(window).nth(2).click();
      await window.locator('.change.create').first().waitFor();
      await window.reload();
      await window.getByText('orders: created schema, flow', { exact: true }).waitFor();
      await looksRight(window, `console-run-${size}-${scheme}`);
      expect(errors).toEqual([]);
    },
  );

  it.each(looksOfToday())(
    'shows a rejected message with its record, by keyboard, %s and %s',
    async (size, scheme) => {
      const { window, errors } = await opened({ size, scheme, path: '/dead-letters' });
      await window.getByText('1 document, the oldest first').waitFor();
      await window.getByRole('listbox', { name: 'Documents' }).focus();
      await window.keyboard.press('ArrowDown');
      await window.getByText('2 messages of orders').waitFor();
      await window.getByRole('listbox', { name: 'Messages' }).focus();
      await window.keyboard.press('End');
      await window.getByLabel('The record').getByText('second').waitFor();
      await looksRight(window, `console-dead-letters-${size}-${scheme}`);
      await window.reload();
      await window.getByLabel('The record').getByText('second').waitFor();
      await window.getByRole('button', { name: 'More documents' }).click();
      await window.getByRole('button', { name: 'More documents' }).waitFor({ state: 'detached' });
      await window.getByLabel('What').selectOption('parked');
      expect(new URL(window.url()).pathname).toMatch(/^\/dead-letters\/orders\/parked\/\d{4}-\d\d-\d\d$/);
      await window.getByLabel('What').selectOption('discarded by Lambda');
      await rowsOf(window).first().click();
      await window.getByText('2 messages of shop').waitFor();
      await window.getByText('no pipeline has redacted them').waitFor();
      await looksRight(window, `console-discarded-${size}-${scheme}`);
      expect(errors).toEqual([]);
    },
  );

  it.each([
    ['wide', 'light'],
    ['narrow', 'dark'],
  ] as const)('draws what CloudWatch has measured, %s and %s', async (size, scheme) => {
    const { window, errors } = await opened({ size, scheme, path: '/charts' });
    await window.getByText('orders in: 4 records/s').waitFor();
    await window.getByText('not-json: 3 messages').waitFor();
    await looksRight(window, `console-charts-${size}-${scheme}`);
    expect(errors).toEqual([]);
  });

  it('shows HTML and script in names, errors and reports as the text that they are', async () => {
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202E';
    const { window, errors } = await opened({ path: '/runs/first' }, livelyStage(hostile));
    await window.getByRole('heading', { name: /<img src=x/ }).waitFor();
    await window.goto(new URL('/runs/second', window.url()).href);
    await window.getByRole('alert').getByText('<script>').waitFor();
    await window.goto(
      new URL(`/dead-letters/orders/rejected/all/${encodeURIComponent(DOCUMENT)}/0`, window.url()).href,
    );
    await window.getByLabel('The record').getByText('first<img').waitFor();
    await window.getByRole('link', { name: 'Charts' }).click();
    await window.getByText('orders in<img').first().waitFor();
    await window.getByRole('link', { name: 'Pipelines' }).click();
    await window.getByRole('button', { name: 'Examine it' }).click();
    await window.getByText('it is off <img').waitFor();
    expect(await window.locator('img, main script').count()).toBe(0);
    expect(errors).toEqual([]);
  });

  it('says what AWS refuses and what to do, and what is not there', async () => {
    const refused: Answer = () => {
      throw new AwsError('AccessDeniedException');
    };
    const answers = { ...livelyStage(), 'AWSStepFunctions.ListExecutions': refused };
    const { window } = await opened({ path: '/runs' }, answers);
    await window.getByRole('alert').getByText('states:ListExecutions').first().waitFor();
    await looksRight(window, 'console-refused');
    await window.goto(new URL('/requests', window.url()).href);
    await window.getByText('There is nothing at this address.').waitFor();
  });

  it('says what to do first in a stage without pipelines and executions', async () => {
    const { window } = await opened({}, {});
    await window.getByText('No pipeline has been applied to this stage yet.').waitFor();
    await looksRight(window, 'console-empty');
    await window.getByRole('link', { name: 'Runs' }).click();
    await window.getByText('No execution has been started in this stage.').waitFor();
  });
});
