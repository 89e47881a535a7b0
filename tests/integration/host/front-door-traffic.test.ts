import { Agent } from 'node:http';
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { FrontDoor } from '../../../deployer/host/types.ts';
import {
  behindEach,
  realHouse,
  send,
  sha,
  startInstance,
  until,
  webServerHouse,
  type TestInstance,
} from './fixture.ts';

const answerSchema = z.object({ name: z.string(), id: z.string(), digest: z.string() });

/** Visitors who ask one thing after the other, half of them writing, until told to stop. */
function visitors(listen: string, count: number) {
  const stopped = new AbortController();
  let asked = 0;
  const acknowledged: string[] = [];
  const wrong: string[] = [];
  async function visitor(number: number) {
    const agent = number % 2 === 0 ? new Agent({ keepAlive: true }) : false;
    while (!stopped.signal.aborted) {
      const id = `${number}-${asked++}`;
      const body =
        asked % 2 === 0 ? randomBytes(asked % 40 === 0 ? 1_000_000 : randomInt(0, 5000)) : undefined;
      const method = body === undefined ? 'GET' : 'POST';
      try {
        const answer = await send(
          listen,
          { agent, method, path: `/page/${id}`, headers: { 'X-Id': id } },
          body,
        );
        const got = answer.status === 200 ? answerSchema.parse(JSON.parse(answer.text)) : undefined;
        if (got?.id !== id || got.digest !== sha(body ?? ''))
          wrong.push(`${method} ${id}: ${answer.status} ${answer.text}`);
        else if (body !== undefined) acknowledged.push(id);
      } catch (error) {
        wrong.push(`${method} ${id}: ${String(error)}`);
      }
    }
    if (agent) agent.destroy();
  }
  const all = Promise.all(Array.from({ length: count }, (_, number) => visitor(number)));
  return {
    wrong,
    acknowledged,
    asked: () => asked,
    async stop() {
      stopped.abort();
      await all;
    },
  };
}

async function pointed(door: FrontDoor, socket: string) {
  await door.point('dev', socket);
  return { drained: true, executedWhileHeld: 0, switched: true };
}

async function switchedUnderHold(door: FrontDoor, socket: string, instances: TestInstance[]) {
  const executed = () => instances.reduce((sum, instance) => sum + instance.executed.length, 0);
  const hold = await door.hold('dev', { leaseMs: 30_000, limitMs: 30_000 });
  const drained = await hold.drained(30_000);
  const before = executed();
  // Time for visitors to run into the hold.
  await sleep(100);
  const executedWhileHeld = executed() - before;
  return { drained, executedWhileHeld, switched: await hold.switchTo(socket) };
}

behindEach((kind) => {
  describe('the front door under traffic', () => {
    test('loses, doubles and mixes up nothing over many switches and holds', async () => {
      const { directory, door, listen } =
        kind === 'embedded' ? await realHouse() : await webServerHouse(kind);
      const blue = await startInstance(directory, 'blue');
      const green = await startInstance(directory, 'green');
      await door.point('dev', 'blue.sock');
      const traffic = visitors(listen, 12);
      for (let round = 0; round < 20; round++) {
        const next = round % 2 === 0 ? 'green.sock' : 'blue.sock';
        const moved =
          round % 3 === 0 ? await pointed(door, next) : await switchedUnderHold(door, next, [blue, green]);
        expect(moved).toEqual({ drained: true, executedWhileHeld: 0, switched: true });
        const goal = traffic.asked() + 150;
        await until(() => traffic.asked() >= goal || traffic.wrong.length > 0, 'more requests');
      }
      await traffic.stop();
      expect(traffic.wrong).toEqual([]);
      const executed = [...blue.executed, ...green.executed].sort();
      expect(executed).toEqual(traffic.acknowledged.sort());
      expect(new Set(executed).size).toBe(executed.length);
      expect(traffic.asked()).toBeGreaterThan(3000);
      expect(Math.min(blue.executed.length, green.executed.length)).toBeGreaterThan(100);
      // A web server writes its log after the answer.
      await until(async () => (await door.counters('dev')).requests >= traffic.asked(), 'all to be counted');
      expect(await door.counters('dev')).toEqual({ requests: traffic.asked(), errors: 0, writesInFlight: 0 });
    });
  });
});
