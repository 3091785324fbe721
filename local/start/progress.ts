// Progress while it works: a bar on a terminal, plain lines anywhere else.
import { Presets, SingleBar } from 'cli-progress';

export interface Stage {
  /** How far it has come, and a word about where it is. */
  to(value: number, note?: string): void;
  done(note?: string): void;
  failed(): void;
}

export interface Progress {
  line(text: string): void;
  stage(title: string, total: number): Stage;
  /** Gives the terminal back as it was, whatever is going on. */
  stop(): void;
}

/** Plain lines tell of every tenth of the way, and of every new note. */
const TENTHS = 10;

export function createProgress(out: NodeJS.WriteStream): Progress {
  const line = (text: string) => void out.write(`${text}\n`);
  let current: Stage | undefined;
  return {
    line,
    stage(title, total) {
      current = out.isTTY ? bar(out, title, total) : lines(line, title, total);
      return current;
    },
    stop: () => current?.failed(),
  };
}

function bar(out: NodeJS.WriteStream, title: string, total: number): Stage {
  const format = `${title.padEnd(10)} {bar} {value}/{total} {note}`;
  const shown = new SingleBar(
    { format, stream: out, hideCursor: true, fps: 10, barsize: 30, stopOnComplete: false },
    Presets.shades_classic,
  );
  shown.start(total, 0, { note: '' });
  return {
    to: (value, note) => shown.update(value, note === undefined ? {} : { note }),
    done(note) {
      shown.update(total, { note: note ?? '' });
      shown.stop();
    },
    failed: () => shown.stop(),
  };
}

function lines(line: (text: string) => void, title: string, total: number): Stage {
  const started = Date.now();
  let tenth = 0;
  let last: string | undefined;
  return {
    to(value, note) {
      const reached = Math.floor((value / total) * TENTHS);
      if (reached <= tenth && (note === undefined || note === last)) return;
      tenth = Math.max(tenth, reached);
      last = note ?? last;
      line(`${title}: ${value}/${total}${note === undefined ? '' : ` ${note}`}`);
    },
    done: (note) =>
      line(
        `${title}: done in ${((Date.now() - started) / 1_000).toFixed(1)} s${note === undefined ? '' : `, ${note}`}`,
      ),
    failed: () => undefined,
  };
}
