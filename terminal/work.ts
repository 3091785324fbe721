// Progress of a piece of work: a line or a bar that moves on a terminal, a line for each new word elsewhere.
import { clearLine, cursorTo } from 'node:readline';
import { SingleBar } from 'cli-progress';
import { columnsOf, cutTo, wrappedProse } from './columns.ts';
import { counted } from './counted.ts';
import type { Colours, Work } from './output.ts';

export interface WorkOptions {
  readonly title: string;
  /** How much there is to do, where that is known. */
  readonly total: number | undefined;
  readonly stream: NodeJS.WriteStream;
  readonly colours: Colours;
  /** Whether the stream can show a line that moves. */
  readonly isMoving: boolean;
}

export function createWork(options: WorkOptions): Work {
  const { title, total, stream, isMoving } = options;
  if (!isMoving) return once(lines(title, total, stream));
  return once(total === undefined ? moving(options) : bar(options, total));
}

/** Whoever is interrupted may still be told of later: what has ended stays as it is. */
function once(work: Work): Work {
  let isOver = false;
  const unlessOver =
    <T extends unknown[]>(tell: (...told: T) => void, isEnd: boolean) =>
    (...told: T) => {
      if (isOver) return;
      isOver = isEnd;
      tell(...told);
    };
  return {
    isMoving: work.isMoving,
    to: unlessOver(work.to, false),
    done: unlessOver(work.done, true),
    failed: unlessOver(work.failed, true),
  };
}

const FRAME_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Where a terminal does not say how wide it is. */
const COLUMNS = 80;

const textOf = (title: string, text: string) => `${title}${text === '' ? '' : `: ${text}`}`;

/** The last column stays free: in it, a terminal may begin a new line. */
const roomOf = ({ columns }: NodeJS.WriteStream) => Math.max(1, (columns || COLUMNS) - 1);

function moving({ title, stream, colours }: WorkOptions): Work {
  let text = '';
  let frame = 0;
  const show = () => {
    cursorTo(stream, 0);
    stream.write(cutTo(`${FRAMES[frame++ % FRAMES.length]} ${textOf(title, text)}`, roomOf(stream)));
    clearLine(stream, 1);
  };
  const timer = setInterval(show, FRAME_MS);
  const end = (sign: string, last: string) => {
    clearInterval(timer);
    cursorTo(stream, 0);
    clearLine(stream, 0);
    stream.write(`${wrappedProse(`${sign} ${textOf(title, last)}`, roomOf(stream))}\n`);
  };
  show();
  return {
    isMoving: true,
    to(next) {
      text = next;
      show();
    },
    done: (last = '') => end(colours.green('✓'), last),
    failed: (last = '') => end(colours.red('✗'), last),
  };
}

const BAR_COLUMNS = 30;
const MIN_BAR_COLUMNS = 5;

function bar({ title, stream, colours }: WorkOptions, total: number): Work {
  const format = (
    _: unknown,
    { value, progress }: { value: number; progress: number },
    { sign, text }: { sign: string; text: string },
  ) => {
    const [front, counts] = [`${sign} ${title} `, ` ${counted(value)}/${counted(total)}`];
    const left = roomOf(stream) - columnsOf(front + counts);
    const long = Math.min(BAR_COLUMNS, left);
    const full = Math.round(long * progress);
    const drawn = long < MIN_BAR_COLUMNS ? '' : '█'.repeat(full) + '░'.repeat(long - full);
    return cutTo(`${front}${drawn}${counts}${text === '' ? '' : `  ${text}`}`, roomOf(stream));
  };
  const shown = new SingleBar({ format, stream, hideCursor: true, fps: 10, stopOnComplete: false });
  shown.start(total, 0, { sign: ' ', text: '' });
  const end = (sign: string, text: string) => {
    shown.update({ sign, text });
    shown.stop();
  };
  return {
    isMoving: true,
    to: (text, value) => (value === undefined ? shown.update({ text }) : shown.update(value, { text })),
    done(text = '') {
      shown.update(total);
      end(colours.green('✓'), text);
    },
    failed: (text = '') => end(colours.red('✗'), text),
  };
}

/** Plain lines tell of every tenth of the way, and of every new word. */
const TENTHS = 10;

function lines(title: string, total: number | undefined, stream: NodeJS.WriteStream): Work {
  let last: string | undefined;
  let tenth = 0;
  // A terminal without a cursor has a width, and a pipe none.
  const room = stream.columns ? roomOf(stream) : Number.POSITIVE_INFINITY;
  const say = (text: string) => stream.write(`${wrappedProse(textOf(title, text), room)}\n`);
  const end = (text: string) => {
    if (text !== last) say(text);
  };
  return {
    isMoving: false,
    to(text, value = 0) {
      const reached = total === undefined ? 0 : Math.floor((value / total) * TENTHS);
      if (reached <= tenth && (text === last || text === '')) return;
      tenth = Math.max(tenth, reached);
      last = text;
      say(total === undefined ? text : `${counted(value)}/${counted(total)} ${text}`.trimEnd());
    },
    done: (text = 'done') => end(text),
    failed: (text = 'failed') => end(text),
  };
}
