import type { Deployment } from '../../deployer/deployment/model.ts';
import type { Tools } from '../../deployer/deployment/work.ts';
import type { Pull, Report } from '../../deployer/forge/types.ts';
import { waitFor, type Stage } from './daemon.ts';

/** The pull requests of a forge that has none by itself: a test opens, moves and closes them. */
export class PullRequests {
  readonly #stage: Stage;
  #open: Pull[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  readonly instrument = (tools: Tools): Tools => ({
    ...tools,
    forge: { ...tools.forge, pulls: async () => this.#open },
  });

  /** Commits on top of `base` as it is on the forge, pushes that as a branch of its own, and opens a pull request. */
  async open(number: number, base: string, files: Record<string, string | null>): Promise<string> {
    const { repository } = this.#stage;
    await repository.git('fetch', '-q', repository.origin, base);
    await repository.git('checkout', '-q', '-B', `topic-${number}`, 'FETCH_HEAD');
    return this.push(number, base, files);
  }

  /** One more commit on its branch, which has to be checked out. */
  async push(number: number, base: string, files: Record<string, string | null>): Promise<string> {
    const { repository } = this.#stage;
    const commit = await repository.commit(`A change for #${number}`, files);
    await repository.push(`HEAD:topic-${number}`);
    this.add({ number, title: 'A change', head: `topic-${number}`, commit, base, url: '' });
    await this.#look();
    return commit;
  }

  /** Without a push of its branch. */
  add(pull: Pull): void {
    this.#open = [...this.#open.filter(({ number }) => number !== pull.number), pull];
  }

  async close(number: number): Promise<void> {
    this.#open = this.#open.filter((pull) => pull.number !== number);
    await this.#look();
  }

  /** Its rehearsals, newest first. */
  async rehearsals(number: number): Promise<Deployment[]> {
    const { operations } = this.#stage.daemon;
    const { deployments } = await operations.deployments({ limit: 200 });
    const own = deployments.filter(({ requestedBy }) => requestedBy === `pull-request:${number}`);
    return Promise.all(own.map(({ id }) => operations.deployment(id)));
  }

  /** Its newest rehearsal, once that of this commit has ended. */
  async ended(number: number, commit: string): Promise<Deployment> {
    return waitFor(`#${number} to be rehearsed`, async () => {
      const [newest] = await this.rehearsals(number);
      return newest?.commit === commit && newest.outcome !== null ? newest : undefined;
    });
  }

  /** What the forge was told, in order. */
  async told(): Promise<Report[]> {
    const rows: { report: string }[] = await this.#stage.daemon.state('outbox').orderBy('id');
    return rows.map(({ report }) => JSON.parse(report) as Report);
  }

  /** The statuses of a commit in a context, in order: `state description`. */
  async statuses(commit: string, context: string): Promise<string[]> {
    return (await this.told()).flatMap((report) =>
      report.type === 'status' && report.commit === commit && report.context === context
        ? [`${report.state} ${report.description}`]
        : [],
    );
  }

  async #look(): Promise<void> {
    await this.#stage.daemon.reconciler.look();
  }
}
