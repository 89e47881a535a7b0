import type { Work } from '../work.ts';

/** The release of the tree, read-only, built once and shared by every environment. */
export async function buildRelease(work: Work): Promise<void> {
  const { tools, target, config, log, signal } = work;
  work.release = await tools.releases.build({
    commit: target.commit,
    tree: target.tree,
    install: config.commands.install,
    log,
    signal,
  });
  log(
    `release ${target.tree.slice(0, 8)} ${work.release.reused ? 'reused' : 'built'}, dependencies ${work.release.dependencies}`,
  );
}
