// Tap: what it shows of the records of a stream, what it hides, and that it sends nothing.
import { describe, expect, it } from 'vitest';
import { MAX_TAPPED } from '../../lib/tap/request.ts';
import { tapping, told } from './tapping.ts';

const ANA = '{"id":"c-1","firstName":"Ana","lastName":"Reis","contact":{"email":" ANA@example.com "}}';

describe('15 tap: the next records of the stream as they come, as they would be sent, and as they are mapped', () => {
  it('shows what came, what would be sent, and what AEP makes of it; and sends nothing', async () => {
    const own = await tapping();
    await own.provision();
    own.put('{"id":"before"}');
    own.time.now += 1_000;
    own.mutations();
    const answer = await own.looked(() => own.put(ANA));
    expect(told(answer.messages)).toEqual(['sent']);
    const [message] = answer.messages;
    expect(message?.came).toBe(ANA);
    // The sample derives ids: what would be sent is what came, and the id.
    const sends = JSON.parse(message?.sends ?? '') as { _id: string; id: string };
    expect(sends).toEqual({ ...JSON.parse(ANA), _id: sends._id });
    expect(sends._id).toContain('shardId-000000000000');
    expect(JSON.parse(message?.maps ?? '')).toMatchObject({
      _id: sends._id,
      personID: 'c-1',
      person: { name: { firstName: 'Ana', fullName: 'Ana Reis' } },
      workEmail: { address: 'ana@example.com' },
    });
    expect(own.mutations()).toEqual([]);
    expect(own.sentToInlet()).toEqual([]);
  });

  it('goes on where the last answer stopped, shard by shard, and shows no record twice', async () => {
    const own = await tapping(['shardId-000000000000', 'shardId-000000000001']);
    await own.provision();
    const { continue: begun, messages } = await own.ask();
    expect(messages).toEqual([]);
    const put = [0, 1, 2].flatMap((n) =>
      [0, 1].map((at) => own.put(`{"id":"${n}"}`, `shardId-00000000000${at}`)),
    );
    const seen: string[] = [];
    let next = begun;
    for (let calls = 0; calls < 4; calls++) {
      const answer = await own.ask({ continue: JSON.parse(JSON.stringify(next)), limit: 2 });
      seen.push(...answer.messages.map(({ sequenceNumber }) => sequenceNumber));
      next = answer.continue;
      // Shards take turns.
      expect(new Set(answer.messages.map(({ shardId }) => shardId)).size).toBe(answer.messages.length);
    }
    expect(seen).toEqual(put);
  });

  it('tells what is rejected, filtered and unrouted, and what each pipeline of a stream takes', async () => {
    const own = await tapping();
    const only = (kind: string) => ({ where: [{ field: '/kind', equals: kind }], derive: ['_id'] });
    await own.provision({ records: only('person') });
    await own.provision({ name: 'orders', records: only('order') });
    const come = () => {
      for (const kind of ['person', 'order', 'other']) own.put(`{"kind":"${kind}"}`);
      own.put('not json');
    };
    const answer = await own.looked(come);
    expect(told(answer.messages)).toEqual(['sent', 'filtered', 'unrouted', 'rejected not-json']);
    const other = await own.looked(come, {}, 'orders');
    expect(told(other.messages)).toEqual(['filtered', 'sent', 'unrouted', 'filtered']);
    expect(own.sentToInlet()).toEqual([]);
  });

  it.each([['customer-profiles'], ['orders']])(
    'where a pipeline redacts, no record of its stream is shown as it came: asked for %s',
    async (pipeline) => {
      const own = await tapping();
      const where = (kind: string) => [{ field: '/kind', equals: kind }];
      const redact = [{ field: '/contact/email', action: 'mask' }];
      await own.provision({ records: { where: where('person'), redact, derive: ['_id'] } });
      await own.provision({ name: 'orders', records: { where: where('order'), derive: ['_id'] } });
      const answer = await own.looked(
        () => {
          for (const kind of ['person', 'other'])
            own.put(`{"kind":"${kind}","id":"c-1","contact":{"email":"ana@example.com"}}`);
          own.put('{"kind":"person","contact":{"email":"ana@example.com"');
          own.put('["ana@example.com"]');
        },
        {},
        pipeline,
      );
      expect(answer.redacts).toBe(true);
      expect(answer.messages).toHaveLength(4);
      expect(JSON.stringify(answer)).not.toContain('ana@example.com');
      expect(own.logged.join()).not.toContain('ana@example.com');
      if (pipeline !== 'customer-profiles') return;
      const [first] = answer.messages;
      expect(first?.sends).toContain('"email":"***"');
      expect(JSON.parse(first?.maps ?? '')).toMatchObject({ workEmail: { address: '***' } });
    },
  );

  it('a pipeline of XDM has no mapping, and shows the frame that its records are sent in', async () => {
    const own = await tapping();
    await own.provision({ sample: 'customer-profiles-xdm', name: 'xdm' });
    const answer = await own.looked(() => own.put('{"_id":"c-1"}'), {}, 'xdm');
    expect(answer.data).toBe('xdm');
    const [message] = answer.messages;
    expect(JSON.parse(message?.sends ?? '')).toMatchObject({ body: { xdmEntity: { _id: 'c-1' } } });
    expect(message).not.toHaveProperty('maps');
  });

  it('an operation of Data Prep has the record as its body, and that is what is mapped', async () => {
    const own = await tapping();
    await own.provision({ sample: 'customers-dms', name: 'dms' });
    const row = '{"data":{"id":"1","email":"ana.reis@example.com","segment":"gold"},"metadata":';
    const answer = await own.looked(
      () => {
        own.put(`${row}{"record-type":"data","operation":"load"}}`);
        own.put(`${row}{"record-type":"control","operation":"create-table"}}`);
      },
      {},
      'dms',
    );
    expect(told(answer.messages)).toEqual(['sent', 'filtered']);
    const [message] = answer.messages;
    expect(message?.sends).toMatch(/^\{"header":/);
    expect(JSON.parse(message?.maps ?? '')).toMatchObject({ workEmail: { address: 'ana.reis@example.com' } });
  });

  it('each message of a record is told, and how many an answer has no room for', async () => {
    const own = await tapping();
    await own.provision({ sample: 'order-batches', name: 'orders' });
    const batch = JSON.stringify({ batchId: 'b-7', orders: [{ total: 1 }, { total: 2 }, { total: 3 }] });
    const answer = await own.looked(() => own.put(batch), { limit: 2 }, 'orders');
    expect(answer.messages.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual([0, 1]);
    expect(answer.messages[1]?.sends).toContain('"total":2');
    expect(answer.messages[1]).not.toHaveProperty('came');
    expect(answer.leftOut).toBe(1);
    expect((await own.ask({ continue: answer.continue }, 'orders')).messages).toEqual([]);
  });

  it('digits stay as they are', async () => {
    const own = await tapping();
    await own.provision();
    const [message] = (await own.looked(() => own.put('{"id":12345678901234567890}'))).messages;
    expect(message?.sends).toContain('12345678901234567890');
    expect(message?.maps).toContain('12345678901234567890');
  });

  it('while AEP is away, what would be sent is still shown, and why there is no preview', async () => {
    const own = await tapping();
    await own.provision();
    own.platform.faults.add({ kind: 'refuse', path: '/**/mappingSets/preview', method: 'POST', status: 400 });
    const [message] = (await own.looked(() => own.put(ANA))).messages;
    expect(message?.outcome).toBe('sent');
    expect(message?.unmapped).toMatch(/^AEP_|^MAPPING_/);
  });

  it('an answer stays far below what Lambda takes, whatever a record holds', async () => {
    const own = await tapping();
    await own.provision();
    const answer = await own.looked(() => {
      for (let n = 0; n < 30; n++) own.put(Buffer.alloc(100_000, 1));
    });
    expect(answer.messages).toHaveLength(MAX_TAPPED);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(2_000_000);
    const long = `{"id":"c-1","text":"${'x'.repeat(500_000)}"}`;
    const [message] = (await own.looked(() => own.put(long))).messages;
    expect(message?.sends?.length).toBeLessThan(5_000);
    expect(message?.unmapped).toContain('100000 characters');
  });

  it('a pipeline that is not there, and one that nothing is published for, are told', async () => {
    const own = await tapping();
    await expect(own.ask()).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    await own.provision();
    await expect(own.ask({}, 'orders')).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('no execution has worked on a pipeline orders'),
    });
  });
});
