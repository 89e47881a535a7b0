import { Agent } from 'node:http';
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { embeddedFrontDoor } from '../../../deployer/host/front-door/client.ts';
import { processManager } from '../../../deployer/host/process.ts';
import { runDirectory } from '../../../deployer/host/run-directory.ts';
import { freeListen, scratch, send, sha, startInstance } from './fixture.ts';

const answerSchema = z.object({ name: z.string(), id: z.string(), digest: z.string() });

async function house() {
  const home = scratch();
  const run = runDirectory(home, {});
  const listen = await freeListen();
  const door = embeddedFrontDoor({ home, runDirectory: run, services: processManager() });
  onTestFinished(() => door.stop('dev'));
  await door.ensure('dev', listen);
  const directory = run.of('dev');
  return { directory, door, listen };
}

/** Visitors who ask one thing after the other, half of them writing, until told to stop. */
function visitors(listen: string, count: number) {
  let running = true;
  let asked = 0;
  const acknowledged: string[] = [];
  const wrong: string[] = [];
  async function visitor(number: number) {
    const agent = number % 2 === 0 ? new Agent({ keepAlive: true }) : false;
    while (running) {
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
      running = false;
      await all;
    },
  };
}

describe('the front door under traffic', () => {
  test('loses, doubles and mixes up nothing over many switches and holds', async () => {
    const { directory, door, listen } = await house();
    const blue = await startInstance(directory, 'blue');
    const green = await startInstance(directory, 'green');
    await door.point('dev', 'blue.sock');
    const traffic = visitors(listen, 12);
    for (let round = 0; round < 20; round++) {
      const next = round % 2 === 0 ? 'green.sock' : 'blue.sock';
      if (round % 3 === 0) await door.point('dev', next);
      else {
        const hold = await door.hold('dev', { leaseMs: 5000, limitMs: 10_000 });
        expect(await hold.drained(5000)).toBe(true);
        const before = blue.executed.length + green.executed.length;
        await sleep(100);
        expect(blue.executed.length + green.executed.length, 'writes executed during the hold').toBe(before);
        expect(await hold.switchTo(next)).toBe(true);
      }
      const goal = traffic.asked() + 150;
      while (traffic.asked() < goal && traffic.wrong.length === 0) await sleep(5);
    }
    await traffic.stop();
    expect(traffic.wrong).toEqual([]);
    const executed = [...blue.executed, ...green.executed].sort();
    expect(executed).toEqual(traffic.acknowledged.sort());
    expect(new Set(executed).size).toBe(executed.length);
    expect(traffic.asked()).toBeGreaterThan(3000);
    expect(Math.min(blue.executed.length, green.executed.length)).toBeGreaterThan(100);
    const counters = await door.counters('dev');
    expect(counters).toMatchObject({ errors: 0, writesInFlight: 0 });
    expect(counters.requests).toBe(traffic.asked());
  });
});
