// Progress of a piece of work: one line that moves on a terminal, a line for each new word elsewhere.
import { clearLine, cursorTo } from 'node:readline';
import type { Colours, Work } from './output.ts';

export function createWork(title: string, stream: NodeJS.WriteStream, colours: Colours): Work {
  return stream.isTTY ? moving(title, stream, colours) : lines(title, stream);
}

const FRAME_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

function moving(title: string, stream: NodeJS.WriteStream, colours: Colours): Work {
  let text = '';
  let frame = 0;
  const show = () => {
    const line = `${FRAMES[frame++ % FRAMES.length]} ${title}${text === '' ? '' : `: ${text}`}`;
    cursorTo(stream, 0);
    stream.write([...line].slice(0, Math.max(1, (stream.columns || 80) - 1)).join(''));
    clearLine(stream, 1);
  };
  const timer = setInterval(show, FRAME_MS);
  const end = (sign: string, last: string) => {
    clearInterval(timer);
    cursorTo(stream, 0);
    clearLine(stream, 0);
    stream.write(`${sign} ${title}${last === '' ? '' : `: ${last}`}\n`);
  };
  show();
  return {
    isMoving: true,
    to(next) {
      text = next;
      show();
    },
    done: (last) => end(colours.green('✓'), last),
    failed: (last) => end(colours.red('✗'), last),
  };
}

function lines(title: string, stream: NodeJS.WriteStream): Work {
  let last = '';
  const say = (text: string) => {
    if (text === last) return;
    last = text;
    stream.write(`${title}${text === '' ? '' : `: ${text}`}\n`);
  };
  return { isMoving: false, to: say, done: say, failed: say };
}
