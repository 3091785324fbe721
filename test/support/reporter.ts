// What a run of the tests prints: failures, what the sweeps say of themselves, and at its end one line of counts.
import { MinimalReporter, type TestModule } from 'vitest/node';

export default class extends MinimalReporter {
  override onUserConsoleLog({ content }: Parameters<MinimalReporter['onUserConsoleLog']>[0]): void {
    this.log(content.trimEnd());
  }

  override onTestRunEnd(...[modules, errors, reason]: Parameters<MinimalReporter['onTestRunEnd']>): void {
    super.onTestRunEnd(modules, errors, reason);
    this.log(countsOf(modules, errors.length));
  }
}

/** A module that could not be loaded, and an error outside of every test, is a failure too. */
function countsOf(modules: readonly TestModule[], errors: number): string {
  const results = modules.flatMap((one) => [...one.children.allTests()].map((test) => test.result().state));
  const count = (state: string) => results.filter((one) => one === state).length;
  const broken = modules.filter((one) => one.state() === 'failed' && one.errors().length > 0).length;
  return `${count('passed')} passed, ${count('failed') + broken + errors} failed, ${count('skipped')} skipped`;
}
