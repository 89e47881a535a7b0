import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logLines, watchDeployment } from '../../../deployer/daemon/watch.ts';
import { openJournal, wanted } from '../journal/journal.ts';
import { scratch } from '../scratch.ts';

const never = new AbortController().signal;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('watching a deployment', () => {
  it('shows it now, after each change, and at last how it ended', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    const seen: string[] = [];
    for await (const { outcome, stages } of watchDeployment(journal, id, never)) {
      seen.push(outcome ?? stages[0]?.state ?? '');
      if (seen.length === 1) await journal.begin(id);
      else if (seen.length === 2) void journal.stage(id, 'preflight', async () => undefined);
      else if (outcome === null && stages[0]?.state === 'done') await journal.finish(id, 'rejected', null);
    }
    expect(seen.slice(0, 2)).toEqual(['waiting', 'waiting']);
    expect(seen.slice(-2)).toEqual(['done', 'rejected']);
  });

  it('misses no change that comes while it is looking elsewhere', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    const watching = watchDeployment(journal, id, never)[Symbol.asyncIterator]();
    expect((await watching.next()).value).toMatchObject({ outcome: null });
    await journal.finish(id, 'superseded', null);
    expect((await watching.next()).value).toMatchObject({ outcome: 'superseded' });
    expect((await watching.next()).done).toBe(true);
  });

  it('of one that has ended, or does not exist, ends at once', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    await journal.finish(id, 'superseded', null);
    expect(await all(watchDeployment(journal, id, never))).toMatchObject([{ id, outcome: 'superseded' }]);
    expect(await all(watchDeployment(journal, 'nobody', never))).toEqual([]);
  });

  it('ends when nobody listens any more', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    const abort = new AbortController();
    const seen: (string | null)[] = [];
    for await (const { outcome } of watchDeployment(journal, id, abort.signal)) {
      seen.push(outcome);
      setImmediate(() => abort.abort());
    }
    expect(seen).toEqual([null]);
  });
});

describe('the log of a deployment', () => {
  async function logged(text: string) {
    const file = join(scratch(), 'log');
    writeFileSync(file, text);
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    const read = (follow: boolean, signal = never) => logLines(journal, id, file, { follow, signal });
    return { file, read, end: () => journal.finish(id, 'superseded', null) };
  }

  it('is given line by line, the last one also when it was cut off', async () => {
    const { read } = await logged('one\ntwo\n\nfour: cut o');
    expect(await all(read(false))).toEqual(['one', 'two', '', 'four: cut o']);
  });

  it('that is not there yet is empty', async () => {
    const { journal } = await openJournal();
    const { id } = await journal.accept(wanted());
    const lines = logLines(journal, id, join(scratch(), 'none'), { follow: false, signal: never });
    expect(await all(lines)).toEqual([]);
  });

  it('is followed until the deployment has ended, with nothing lost and no character torn', async () => {
    const euro = Buffer.from('€');
    const { read, file, end } = await logged('one\ntw');
    const lines: string[] = [];
    for await (const line of read(true)) {
      lines.push(line);
      if (line === 'one') {
        appendFileSync(file, Buffer.concat([Buffer.from('o\n'), euro.subarray(0, 1)]));
      } else if (line === 'two') {
        appendFileSync(file, Buffer.concat([euro.subarray(1), Buffer.from('\nlast\n')]));
        await end();
      }
    }
    expect(lines).toEqual(['one', 'two', '€', 'last']);
  });

  it('is followed no longer than somebody listens', async () => {
    const { read } = await logged('one\n');
    const abort = new AbortController();
    const lines: string[] = [];
    for await (const line of read(true, abort.signal)) {
      lines.push(line);
      setImmediate(() => abort.abort());
    }
    expect(lines).toEqual(['one']);
  });
});
