import { z } from 'zod';
import { created, notFound, ok, paged, Refusal } from '../answer.ts';
import { endpoint } from '../endpoint.ts';
import { api, gitCommit, isoNow } from '../shapes.ts';
import type { World } from '../world.ts';

const R = '/repos/{owner}/{repo}';
const SHA = z.string().regex(/^[0-9a-f]{40}$/);
const PERSON = z.strictObject({ name: z.string(), email: z.string(), date: z.string().optional() });

export const GIT = [
  endpoint(`POST ${R}/git/tags`, {
    permission: ['contents', 'write'],
    body: z.strictObject({
      tag: z.string(),
      message: z.string(),
      object: SHA,
      type: z.enum(['commit', 'tree', 'blob']),
      tagger: PERSON.optional(),
    }),
    async answer({ world, body, access }) {
      if ((await world.bare.typeOf(body.object)) !== body.type)
        throw new Refusal(422, 'Object does not exist');
      const { name, email, date } = body.tagger ?? {
        name: access.login,
        email: 'noreply@github.com',
        date: undefined,
      };
      const seconds = Math.floor(Date.parse(date ?? isoNow()) / 1000);
      const sha = await world.bare.tagObject({
        name: body.tag,
        object: body.object,
        type: body.type,
        tagger: `${name} <${email}> ${seconds} +0000`,
        message: body.message,
      });
      return created(await tagObject(world, sha));
    },
  }),
  endpoint(`GET ${R}/git/tags/{tag_sha}`, {
    permission: ['contents', 'read'],
    async answer({ world, params }) {
      const sha = params['tag_sha'] ?? '';
      if ((await world.bare.typeOf(sha)) !== 'tag') throw notFound();
      return ok(await tagObject(world, sha));
    },
  }),
  endpoint(`GET ${R}/tags`, {
    permission: ['metadata', 'read'],
    pages: true,
    async answer({ world, url }) {
      const names = [...(await world.bare.refs()).keys()].filter((name) => name.startsWith('refs/tags/'));
      const tags = names.toReversed().map(async (name) => {
        const sha = await world.bare.git('rev-parse', `${name}^{commit}`);
        return {
          name: name.slice(10),
          commit: { sha, url: `${api(world)}/repos/${world.fullName}/commits/${sha}` },
        };
      });
      return paged(await Promise.all(tags), url);
    },
  }),
  endpoint(`GET ${R}/git/commits/{commit_sha}`, {
    permission: ['contents', 'read'],
    async answer({ world, params }) {
      const found = await world.bare.commit(params['commit_sha'] ?? '');
      if (!found) throw notFound();
      return ok(gitCommit(world, found));
    },
  }),
  endpoint(`POST ${R}/git/commits`, {
    permission: ['contents', 'write'],
    body: z.strictObject({
      message: z.string(),
      tree: SHA,
      parents: z.array(SHA).optional(),
      author: PERSON.partial().optional(),
      committer: PERSON.partial().optional(),
      signature: z.string().optional(),
    }),
    async answer({ world, body }) {
      if ((await world.bare.typeOf(body.tree)) !== 'tree') throw new Refusal(422, 'Tree SHA does not exist');
      for (const parent of body.parents ?? [])
        if ((await world.bare.typeOf(parent)) !== 'commit')
          throw new Refusal(422, 'Parent SHA does not exist or is not a commit object');
      const sha = await world.bare.commitTree(body.tree, body.parents ?? [], body.message);
      const made = await world.bare.commit(sha);
      return created(made && gitCommit(world, made));
    },
  }),
  endpoint(`GET ${R}/git/matching-refs/{ref}`, {
    permission: ['contents', 'read'],
    async answer({ world, params }) {
      const found = [...(await world.bare.refs()).keys()].filter((name) =>
        name.startsWith(`refs/${params['ref']}`),
      );
      return ok(await Promise.all(found.map((name) => reference(world, name))));
    },
  }),
  endpoint(`GET ${R}/git/ref/{ref}`, {
    permission: ['contents', 'read'],
    async answer({ world, params }) {
      const name = `refs/${params['ref']}`;
      if (!(await world.bare.refs()).has(name)) throw notFound();
      return ok(await reference(world, name));
    },
  }),
  endpoint(`POST ${R}/git/refs`, {
    permission: ['contents', 'write'],
    body: z.strictObject({ ref: z.string(), sha: SHA }),
    async answer({ world, body, access }) {
      if (!/^refs\/[^/]+\/.+/.test(body.ref))
        throw new Refusal(422, "Reference name must start with 'refs/' and have at least two slashes");
      if ((await world.bare.maybe('check-ref-format', body.ref)) === undefined)
        throw new Refusal(422, 'Reference name is not valid');
      if (!(await world.bare.typeOf(body.sha))) throw new Refusal(422, 'Object does not exist');
      if ((await world.bare.refs()).has(body.ref)) throw new Refusal(422, 'Reference already exists');
      await world.bare.git('update-ref', body.ref, body.sha, '');
      await world.observe(access.login);
      return created(await reference(world, body.ref));
    },
  }),
  endpoint(`PATCH ${R}/git/refs/{ref}`, {
    permission: ['contents', 'write'],
    body: z.strictObject({ sha: SHA, force: z.boolean().optional() }),
    async answer({ world, params, body, access }) {
      const name = `refs/${params['ref']}`;
      const old = (await world.bare.refs()).get(name);
      if (!old) throw new Refusal(422, 'Reference does not exist');
      if (!(await world.bare.typeOf(body.sha))) throw new Refusal(422, 'Object does not exist');
      if (!body.force && !(await world.bare.contains(body.sha, old)))
        throw new Refusal(422, 'Update is not a fast forward');
      await world.bare.git('update-ref', name, body.sha, old);
      await world.observe(access.login);
      return ok(await reference(world, name));
    },
  }),
  endpoint(`DELETE ${R}/git/refs/{ref}`, {
    permission: ['contents', 'write'],
    async answer({ world, params, access }) {
      const name = `refs/${params['ref']}`;
      if (!(await world.bare.refs()).has(name)) throw new Refusal(422, 'Reference does not exist');
      await world.bare.git('update-ref', '-d', name);
      await world.observe(access.login);
      return { status: 204 };
    },
  }),
];

async function reference(world: World, name: string) {
  const sha = await world.bare.git('rev-parse', name);
  const type = await world.bare.git('cat-file', '-t', sha);
  const base = `${api(world)}/repos/${world.fullName}/git`;
  return {
    ref: name,
    node_id: name,
    url: `${base}/${name}`,
    object: { sha, type, url: `${base}/${type}s/${sha}` },
  };
}

async function tagObject(world: World, sha: string) {
  const text = await world.bare.git('cat-file', 'tag', sha);
  const [head = '', ...rest] = text.split('\n\n');
  const field = (name: string) => new RegExp(`^${name} (.+)$`, 'm').exec(head)?.[1] ?? '';
  const tagger = /^(.*) <(.*)> (\d+) /.exec(field('tagger'));
  const base = `${api(world)}/repos/${world.fullName}/git`;
  return {
    sha,
    node_id: sha,
    tag: field('tag'),
    url: `${base}/tags/${sha}`,
    message: rest.join('\n\n'),
    tagger: {
      name: tagger?.[1] ?? '',
      email: tagger?.[2] ?? '',
      date: new Date(Number(tagger?.[3]) * 1000).toISOString(),
    },
    object: {
      type: field('type'),
      sha: field('object'),
      url: `${base}/${field('type')}s/${field('object')}`,
    },
    verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
  };
}
