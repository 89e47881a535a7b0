import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { scratch } from '../scratch.ts';
import { headersOf, PUSH, SECRET, sendWhole } from './deliveries.ts';

const MB = 1024 ** 2;
const CHUNK = Buffer.alloc(MB, ' ');
const PROGRAM = fileURLToPath(new URL('serve-intake.ts', import.meta.url));

async function intakeProcess(): Promise<{ pid: number; port: number }> {
  const child = spawn(process.execPath, [PROGRAM, scratch(), SECRET], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.stdin.end();
    await once(child, 'exit');
  });
  const [line] = await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, port: Number(String(line)) };
}

/** The most that the process ever had resident, in bytes. */
function peakResident(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

async function sendBadly(port: number, megabytes: number, length: Record<string, string>): Promise<number> {
  const headers = { ...headersOf(PUSH), ...length };
  const answer = await sendWhole(port, headers, Array<Buffer>(megabytes).fill(CHUNK)).catch(() => CUT_OFF);
  return answer.status;
}

/** What takes longer than 10 s, on a busy machine, is cut off. */
const CUT_OFF = { status: 0 };

const announced = { 'Content-Length': String(24 * MB) };
const chunked = { 'Transfer-Encoding': 'chunked' };

it('50 bodies of 24 MB with bad signatures at once leave at most 150 MB resident', async () => {
  const { pid, port } = await intakeProcess();
  const statuses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => sendBadly(port, 24, index % 2 === 0 ? announced : chunked)),
  );
  expect(statuses.filter((status) => status === 401)).not.toHaveLength(0);
  expect(statuses.every((status) => [401, 503, CUT_OFF.status].includes(status))).toBe(true);
  expect(peakResident(pid)).toBeGreaterThan(20 * MB);
  expect(peakResident(pid)).toBeLessThan(150 * MB);
});
