import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { createThread } from '../../../backups/thread/client.ts';
import { serveJobs } from '../../../backups/thread/serve.ts';
import { startProgram } from '../data/child.ts';
import { jobs } from './jobs-for-tests.ts';

class Failure extends Error {}
const thread = createThread<typeof jobs>(
  new URL('./jobs-for-tests.ts', import.meta.url),
  (sentence) => new Failure(sentence),
);
afterEach(() => thread.close());

describe('a thread', () => {
  test('does jobs in the order they were asked for', async () => {
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    await expect(Promise.all(numbers.map((number) => thread.run('double', number)))).resolves.toEqual(
      numbers.map((number) => number * 2),
    );
  });

  test('carries an error back as its sentence, and goes on', async () => {
    await expect(thread.run('fail', 'no such table: x')).rejects.toEqual(new Failure('no such table: x'));
    await expect(thread.run('double', 4)).resolves.toBe(8);
  });

  test('that crashes rejects all that is running; the next call starts a new one', async () => {
    const [crashed, waiting] = [thread.run('crash', undefined), thread.run('double', 1)];
    await expect(waiting).rejects.toThrow('the worker thread ended with code 3');
    await expect(crashed).rejects.toBeInstanceOf(Failure);
    await expect(thread.run('double', 2)).resolves.toBe(4);
  });

  test('that throws outside of a job says what it threw', async () => {
    await expect(thread.run('throwLater', undefined)).rejects.toThrow(
      'the worker thread failed: out of nowhere',
    );
  });

  test('stops a job whose signal aborts, with the reason of the signal', async () => {
    const controller = new AbortController();
    const running = thread.run('untilAborted', null, controller.signal);
    controller.abort(new Error('a newer commit'));
    await expect(running).rejects.toThrow('a newer commit');
    await expect(thread.run('double', 1, controller.signal)).rejects.toThrow('a newer commit');
    await expect(thread.run('double', 3)).resolves.toBe(6);
  });

  test('rejects what is running when it is closed', async () => {
    const running = thread.run('untilAborted', null);
    const closed = thread.close();
    await expect(running).rejects.toThrow('the worker thread was closed');
    await closed;
    await thread.close();
  });

  test('refuses what cannot be sent to it', async () => {
    await expect(thread.run('echo', () => 1)).rejects.toThrow(/could not be cloned/);
  });

  test('keeps a process alive while it works, and not longer', async () => {
    const { child, nextLine } = startProgram(`
      import { createThread } from '../../../backups/thread/client.ts';
      const thread = createThread(new URL('file://${import.meta.dirname}/jobs-for-tests.ts'), String);
      thread.run('double', 21).then(console.log);
    `);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    expect(await nextLine()).toBe('42');
    expect(await exited).toBe(0);
  });

  test('answers on its own side too when a job is unknown', async () => {
    const { port1, port2 } = new MessageChannel();
    serveJobs(port2, jobs);
    const answer = new Promise((resolve) => port1.once('message', resolve));
    port1.postMessage({ call: 1, job: 'toString', input: null });
    await expect(answer).resolves.toEqual({ call: 1, problem: 'no job is called toString' });
    port1.close();
  });
});
