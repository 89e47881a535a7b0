import { describe, expect, it } from 'vitest';
import { fullDisk, scratchState, seeded } from '../scratch.ts';
import { headersOf, PUSH, receiving, SECRET, sign } from './deliveries.ts';

const signed = (signature: string) => headersOf(PUSH, { 'X-Hub-Signature-256': signature });

describe('an authentic delivery', () => {
  it('is stored as it came, answered with 202, and makes the reconciler look', async () => {
    const { post, events, looks } = await receiving();
    expect(await post(PUSH)).toMatchObject({ status: 202, answer: { stored: 'new' } });
    expect(await events()).toEqual([
      {
        id: 1,
        delivery: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
        name: 'push',
        payload: PUSH,
        received_at: '2026-11-20T19:00:00.000Z',
      },
    ]);
    expect(looks).toEqual(['branches']);
  });

  it('that comes again is stored once, yet makes the reconciler look again', async () => {
    const { post, events, looks } = await receiving();
    await post(PUSH);
    expect(await post(PUSH)).toMatchObject({ status: 202, answer: { stored: 'known' } });
    expect(await events()).toHaveLength(1);
    expect(looks).toEqual(['branches', 'branches']);
  });

  it('is signed over its raw bytes: what parses alike is not alike', async () => {
    const { post } = await receiving();
    const spaced = `${PUSH.slice(0, -1)} }`;
    expect(await post(spaced, headersOf(spaced))).toMatchObject({ status: 202 });
    expect(await post(spaced, headersOf(PUSH))).toMatchObject({ status: 401 });
  });

  it('that comes again after a restart is known too', async () => {
    const { post, state, events } = await receiving();
    await post(PUSH);
    const restarted = await receiving({ state });
    expect(await restarted.post(PUSH)).toMatchObject({ status: 202, answer: { stored: 'known' } });
    expect(restarted.looks).toEqual(['branches']);
    expect(await events()).toHaveLength(1);
  });

  it.each([
    ['ping', { zen: 'Keep it logically awesome.', hook_id: 1, hook: { type: 'Repository' } }, 'branches'],
    ['push', { ref: 'refs/heads/old', deleted: true, after: '0'.repeat(40), commits: [] }, 'branches'],
    ['push', { ref: 'refs/heads/dev', forced: true, after: 'b'.repeat(40) }, 'branches'],
    ['push', { ref: { not: 'a text' } }, 'branches'],
    ['pull_request', { action: 'opened', number: 7 }, 'pulls'],
    ['pull_request', { action: 'synchronize', number: 7 }, 'pulls'],
    ['pull_request', { action: 'reopened', number: 7 }, 'pulls'],
    ['pull_request', { action: 'closed', number: 7 }, 'pulls'],
    ['pull_request', { action: 'edited', changes: { base: { ref: { from: 'dev' } } } }, 'pulls'],
    ['pull_request', { action: 7 }, 'pulls'],
  ])('of the event %s %j is stored, and makes us look at the %s', async (name, payload, look) => {
    const { post, looks, events } = await receiving();
    const body = JSON.stringify(payload);
    expect(await post(body, headersOf(body, { 'X-GitHub-Event': name }))).toMatchObject({ status: 202 });
    expect(looks).toEqual([look]);
    expect(await events()).toHaveLength(1);
  });

  it.each([
    ['push', { ref: 'refs/tags/v1', deleted: true, after: '0'.repeat(40), head_commit: null, commits: [] }],
    ['pull_request', { action: 'labeled', number: 7 }],
    ['pull_request', { action: 'edited', changes: { title: { from: 'a' } } }],
    ['delete', { ref: '--upload-pack=touch x', ref_type: 'branch' }],
    ['check_suite', { action: 'completed', check_suite: { head_branch: null } }],
    ['issue_comment', { comment: { body: '\u0000\u202e</script>' } }],
    ['constructor', { action: '__proto__' }],
  ])('of the event %s %j is answered and ignored', async (name, payload) => {
    const { post, looks, events } = await receiving();
    const body = JSON.stringify(payload);
    expect(await post(body, headersOf(body, { 'X-GitHub-Event': name }))).toMatchObject({
      status: 202,
      answer: { ignored: `the event ${name} changes nothing here` },
    });
    expect(looks).toEqual([]);
    expect(await events()).toEqual([]);
  });

  it('of another repository is answered and ignored', async () => {
    const { post, looks, events } = await receiving({ owns: ({ full_name: name }) => name === 'owner/name' });
    expect(await post(PUSH)).toMatchObject({ status: 202, answer: { stored: 'new' } });
    const other = PUSH.replace('owner/name', 'owner/name-of-another');
    expect(await post(other, headersOf(other, { 'X-GitHub-Delivery': 'other' }))).toMatchObject({
      status: 202,
      answer: { ignored: 'it is of another repository' },
    });
    expect(looks).toEqual(['branches']);
    expect(await events()).toHaveLength(1);
  });

  it('of more than 1 MB is known by its delivery, and not kept', async () => {
    const { post, events, looks } = await receiving();
    const body = JSON.stringify({ commits: 'x'.repeat(2 * 1024 ** 2) });
    expect(await post(body)).toMatchObject({ status: 202 });
    expect(await events()).toMatchObject([{ name: 'push', payload: '' }]);
    expect(looks).toEqual(['branches']);
  });
});

describe('while the secret is rotated', () => {
  it('both are accepted, and no third', async () => {
    const { post, looks } = await receiving({ secrets: ['new', 'previous'] });
    expect(await post(PUSH, signed(sign(PUSH, 'new')))).toMatchObject({ status: 202 });
    expect(await post(PUSH, signed(sign(PUSH, 'previous')))).toMatchObject({ status: 202 });
    expect(await post(PUSH, signed(sign(PUSH, 'older')))).toMatchObject({ status: 401 });
    expect(looks).toHaveLength(2);
  });
});

describe('a signature', () => {
  const valid = sign(PUSH);
  it.each([
    ['of another secret', signed(sign(PUSH, 'another'))],
    ['of an empty secret', signed(sign(PUSH, ''))],
    ['with another last digit', signed(valid.slice(0, -1) + (valid.endsWith('0') ? '1' : '0'))],
    ['one digit short', signed(valid.slice(0, -1))],
    ['one digit long', signed(`${valid}0`)],
    ['in capital letters', signed(valid.replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase()))],
    ['without its algorithm', signed(valid.slice('sha256='.length))],
    ['of SHA-1', signed(`sha1=${valid.slice(7, 47)}`)],
    ['that is empty', signed('')],
    ['of both secrets at once', signed(`${valid}, ${valid}`)],
  ])('%s is refused with 401, nothing is stored, nobody looks', async (_what, headers) => {
    const { post, events, looks } = await receiving();
    expect(await post(PUSH, headers)).toMatchObject({
      status: 401,
      type: 'application/problem+json',
    });
    expect(await events()).toEqual([]);
    expect(looks).toEqual([]);
  });

  it('only in the SHA-1 header counts as none', async () => {
    const { post } = await receiving();
    const { 'X-Hub-Signature-256': _sha256, ...headers } = headersOf(PUSH, { 'X-Hub-Signature': 'sha1=0' });
    expect(await post(PUSH, headers)).toMatchObject({ status: 401 });
  });

  it('does not fit when any one byte of the body is changed', async () => {
    const { post, looks } = await receiving();
    const random = seeded(7);
    const bytes = Buffer.from(PUSH);
    const headers = headersOf(bytes);
    for (let round = 0; round < 50; round += 1) {
      const changed = Buffer.from(bytes);
      const at = Math.floor(random() * changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      expect(await post(changed, headers)).toMatchObject({ status: 401 });
    }
    expect(looks).toEqual([]);
  });
});

describe('a malformed delivery', () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'of the type "%s" is refused with 415',
    async (type) => {
      const { post } = await receiving();
      expect(await post(PUSH, headersOf(PUSH, { 'Content-Type': type }))).toMatchObject({ status: 415 });
    },
  );

  it.each(['', '[]', 'null', '"text"', '7', '{', '{"a":}', PUSH.slice(0, -1)])(
    'whose signed body is %s is refused with 400, and not stored',
    async (body) => {
      const { post, events, looks } = await receiving();
      expect(await post(body)).toMatchObject({ status: 400 });
      expect(await events()).toEqual([]);
      expect(looks).toEqual([]);
    },
  );

  it.each([
    ['X-GitHub-Delivery', ''],
    ['X-GitHub-Delivery', '../../etc'],
    ['X-GitHub-Delivery', 'a'.repeat(101)],
    ['X-GitHub-Event', ''],
    ['X-GitHub-Event', 'push\u00e9'],
    ['X-GitHub-Event', 'p'.repeat(61)],
  ])('with %s: %s is refused with 400', async (name, value) => {
    const { post } = await receiving();
    expect(await post(PUSH, headersOf(PUSH, { [name]: value }))).toMatchObject({
      status: 400,
      answer: { detail: `expected ${name}` },
    });
  });
});

describe('when it cannot be stored', () => {
  it('is answered with 503, never with 202, and nobody looks', async () => {
    const { post, state, looks } = await receiving();
    await state.destroy();
    expect(await post(PUSH)).toMatchObject({ status: 503 });
    expect(looks).toEqual([]);
  });

  it('because the store refuses to be written, is answered with 503 and taken when it comes again', async () => {
    const state = await scratchState();
    const { post, looks } = await receiving({ state, secrets: [SECRET] });
    const mend = await fullDisk(state, 'events', 'INSERT');
    expect(await post(PUSH)).toMatchObject({ status: 503 });
    await mend();
    expect(await post(PUSH)).toMatchObject({ status: 202, answer: { stored: 'new' } });
    expect(looks).toEqual(['branches']);
  });
});
