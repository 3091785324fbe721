// Puts a record into the stream that is looked at, as somebody types it, or the lines of a file.
import { useState } from 'preact/hooks';
import type { PutTold } from '../told.ts';
import { act } from './act.ts';
import { OutcomeOf, useActing } from './acting.tsx';
import { told } from './parts.tsx';
import { go, pathOf } from './place.tsx';

interface PutProps {
  readonly stream: string;
}

export function PutRecords({ stream }: PutProps) {
  const [text, setText] = useState('');
  const [key, setKey] = useState('');
  const acting = useActing();
  const put = async (what: object): Promise<PutTold> => act('POST', '/api/put', { stream, ...what });
  const putOne = () =>
    acting.run(async () => {
      const { first } = await put({ text, key });
      if (first !== undefined) go(pathOf('records', stream, first.shardId, first.sequenceNumber));
      return 'The record is in the stream, and is followed here.';
    });
  const putFile = (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (file === undefined) return;
    acting.run(async () => {
      const lines = await file.text();
      input.value = '';
      const { records, refused } = await put({ text: lines, areLines: true });
      const what = records === 1 ? '1 record of it is' : `${told(records)} records of it are`;
      return [`${what} in the stream.`, ...refused].join(' ');
    });
  };
  return (
    <details class="put">
      <summary>Put records in</summary>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          putOne();
        }}
      >
        <label class="field broad">
          <span>A record, as its producer would write it</span>
          <textarea
            rows={4}
            required
            value={text}
            placeholder='{"type": "signup", "id": "17"}'
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="field broad">
          <span>Partition key (empty: one is made)</span>
          <input value={key} onInput={(event) => setKey(event.currentTarget.value)} />
        </label>
        <div class="buttons">
          <button type="submit" class="primary" aria-disabled={acting.isBusy}>
            Put it in
          </button>
          <label class="file">
            <span>A file, one record a line</span>
            <input type="file" onChange={(event) => putFile(event.currentTarget)} />
          </label>
        </div>
      </form>
      <OutcomeOf acting={acting} />
    </details>
  );
}
