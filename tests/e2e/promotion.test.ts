import { describe, expect, it } from 'vitest';
import { waitFor } from '../kit/daemon.ts';
import { liveForAll } from '../kit/live-stage.ts';
import { behaviour } from '../kit/repository.ts';

describe('promotion', () => {
  const stage = liveForAll();

  const promote = async () =>
    stage.outcome(await stage.daemon.operations.promote({ from: 'dev', to: 'prod', by: 'test' }));

  it('by the verb merges dev into main and deploys the built release with a backup and a tag', async () => {
    await stage.ended(
      'dev',
      await stage.push('dev', 'Two', { 'behaviour.json': behaviour({ version: 'two' }) }),
    );
    const deployment = await promote();
    expect(deployment).toMatchObject({
      outcome: 'deployed',
      tag: expect.stringMatching(/^v\d{4}\.\d+\.\d+/) as string,
    });
    expect(await stage.get('prod')).toMatchObject({ body: { version: 'two' } });
    const backups = await stage.daemon.operations.backups('prod');
    expect(backups.map(({ kind }) => kind)).toEqual(['before-deploy']);
    const log = await Array.fromAsync(
      stage.daemon.operations.log(deployment.id, { follow: false, signal: new AbortController().signal }),
    );
    expect(log.join('\n')).toContain('reused');
  });

  it('by a plain push of what dev has verified is deployed, squashed or merged alike: the tree counts', async () => {
    await stage.ended(
      'dev',
      await stage.push('dev', 'Three', { 'behaviour.json': behaviour({ version: 'three' }) }),
    );
    const tree = await stage.repository.git('rev-parse', 'HEAD^{tree}');
    const main = await stage.repository.git('ls-remote', stage.repository.origin, 'refs/heads/main');
    await stage.repository.git('fetch', '-q', stage.repository.origin, 'main');
    const squashed = await stage.repository.git(
      'commit-tree',
      tree,
      '-p',
      main.split('\t')[0] ?? '',
      '-m',
      'Squashed',
    );
    await stage.repository.push(`${squashed}:refs/heads/main`);
    expect(await stage.ended('prod', squashed)).toMatchObject({ outcome: 'deployed' });
    expect(await stage.get('prod')).toMatchObject({ body: { version: 'three', commit: squashed } });
  });

  it('of a tree that dev has not verified is refused with the reason, and taken up once dev has verified it', async () => {
    const commit = await stage.push('main', 'Straight to main', {
      'behaviour.json': behaviour({ version: 'four' }),
    });
    const tree = (await stage.repository.git('rev-parse', 'HEAD^{tree}')).slice(0, 8);
    const refused = await stage.ended('prod', commit);
    expect(refused).toMatchObject({
      outcome: 'refused',
      cause: `dev has not verified the tree ${tree}; deploy it to dev first`,
    });
    expect(await stage.get('prod')).toMatchObject({ body: { version: 'three' } });
    await stage.repository.push('HEAD:dev');
    await stage.ended('dev', commit);
    await stage.daemon.reconciler.look();
    await stage.allLive();
    expect(await stage.get('prod')).toMatchObject({ body: { version: 'four' } });
  });

  it('is refused by a lock for a person, and waits for the unlocking when it comes by itself', async () => {
    const { operations } = stage.daemon;
    await operations.lock('prod', 'an audit', 'alice');
    await stage.ended(
      'dev',
      await stage.push('dev', 'Five', { 'behaviour.json': behaviour({ version: 'five' }) }),
    );
    await expect(operations.promote({ from: 'dev', to: 'prod', by: 'bob' })).rejects.toThrow(
      /locked by alice since .*: an audit/,
    );
    await stage.repository.push('HEAD:main');
    await stage.daemon.reconciler.look();
    expect((await operations.environment('prod')).waiting).not.toBeNull();
    await operations.unlock('prod', 'alice');
    await stage.allLive();
    expect(await stage.get('prod')).toMatchObject({ body: { version: 'five' } });
  });

  it('passes the gate with an override and its reason, which the audit trail keeps', async () => {
    const { operations } = stage.daemon;
    const commit = await stage.push('main', 'An emergency', {
      'behaviour.json': behaviour({ version: 'six' }),
    });
    await stage.ended('prod', commit);
    const request = { environment: 'prod', commit, override: true, by: 'alice' };
    await expect(operations.deploy(request)).rejects.toThrow(/--override needs --reason/);
    const deployment = await stage.outcome(
      await operations.deploy({ ...request, reason: 'the site is down' }),
    );
    expect(deployment).toMatchObject({ outcome: 'deployed', requestedBy: 'alice' });
    const { entries: trail } = await operations.audit('prod');
    expect(
      trail.find(({ action, actor }) => action === 'requested deploy' && actor === 'alice')?.detail,
    ).toContain('the site is down');
  });

  it('tells the repository: statuses that git log shows, and an annotated tag', async () => {
    const head = await stage.repository.git('rev-parse', 'HEAD');
    const statuses = await waitFor('the final status', async () => {
      await stage.repository.git(
        'fetch',
        '-q',
        stage.repository.origin,
        '+refs/notes/*:refs/notes/*',
        '+refs/tags/*:refs/tags/*',
      );
      const notes = await stage.repository.git('notes', '--ref=deploy', 'show', head);
      const found = notes.split('\n').map((line) => JSON.parse(line) as { context: string; state: string });
      return found.some(({ context, state }) => context === 'deploy/prod' && state === 'success')
        ? found
        : undefined;
    });
    const overall = statuses.filter(({ context }) => context === 'deploy/prod').map(({ state }) => state);
    expect(overall.at(0)).toBe('pending');
    expect(overall.at(-1)).toBe('success');
    expect(statuses.find(({ context }) => context === 'verify/prod/routes')).toMatchObject({
      state: 'success',
    });
    const tag = await stage.repository.git('tag', '--points-at', head);
    expect(await stage.repository.git('cat-file', '-t', tag)).toBe('tag');
  });
});
