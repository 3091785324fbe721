// Small things that every area shows alike: numbers, signs, code to copy.
import { useState } from 'preact/hooks';
import type { Health, Shown } from '../told.ts';

const NUMBER = new Intl.NumberFormat('en');

export const told = (value: number) => NUMBER.format(value);

const SIGNS: Readonly<Record<Health, readonly [string, string]>> = {
  good: ['✓', 'good'],
  busy: ['…', 'at work'],
  bad: ['!', 'needs a look'],
  off: ['–', 'off'],
};

/** A sign with a word: colour alone tells nothing. */
export function Sign({ health }: { readonly health: Health }) {
  const [sign, word] = SIGNS[health];
  return (
    <span class={`sign ${health}`}>
      <span aria-hidden="true">{sign}</span>
      <span class="unseen">{word}</span>
    </span>
  );
}

/** What is wrong, with its sign. */
export function Bad({ text }: { readonly text: string }) {
  return (
    <p class="bad-line">
      <Sign health="bad" />
      <bdi>{text}</bdi>
    </p>
  );
}

/** Text to read and to copy. */
export function Code({
  text,
  label,
  copy = false,
}: {
  readonly text: string;
  readonly label: string;
  readonly copy?: boolean;
}) {
  const [copied, setCopied] = useState('');
  return (
    <div class="code">
      {copy && (
        <button
          type="button"
          class="copy"
          onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
        >
          {copied === text ? 'Copied' : 'Copy'}
        </button>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section tabIndex={0} aria-label={label}>
        <pre class={copy ? 'with-copy' : ''}>{text}</pre>
      </section>
    </div>
  );
}

export function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }) {
  if (facts.length === 0) return null;
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** `09:41:07.123` in the time of this machine. */
export function timeOf(at: number): string {
  const date = new Date(at);
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Content that may be the beginning of a longer one. */
export function Content({ shown, label }: { readonly shown: Shown; readonly label: string }) {
  const { text, bytes, form, isCut } = shown;
  if (text === '') return <p class="says">It is empty.</p>;
  return (
    <>
      {(isCut || form === 'hex') && (
        <p class="says">
          {form === 'hex' && 'It is no text, and is shown in hex. '}
          {isCut && `It has ${told(bytes)} bytes; this is its beginning.`}
        </p>
      )}
      <Code label={label} text={text} copy={!isCut} />
    </>
  );
}

interface FindProps {
  readonly label: string;
  /** What can be looked for. */
  readonly hint: string;
  readonly wanted: string;
  readonly onWanted: (wanted: string) => void;
}

/** The field that every list is searched with. */
export function Find({ label, hint, wanted, onWanted }: FindProps) {
  return (
    <label class="find">
      <span>{label}</span>
      <input
        type="search"
        value={wanted}
        placeholder={hint}
        onInput={(event) => onWanted(event.currentTarget.value)}
      />
    </label>
  );
}

interface AmountProps {
  readonly what: string;
  readonly fitting: number;
  /** `undefined` before the list has come: then nothing is known of how many there are. */
  readonly all: number | undefined;
}

/** It keeps the height of the line. */
const NOTHING = '\u00a0';

/** How many of a list fit what is looked for. */
export function Amount({ what, fitting, all }: AmountProps) {
  return (
    <p class="amount" role="status">
      {all === undefined
        ? NOTHING
        : `${fitting === all ? '' : `${told(fitting)} of `}${told(all)} ${all === 1 ? what.replace(/s$/, '') : what}`}
    </p>
  );
}
