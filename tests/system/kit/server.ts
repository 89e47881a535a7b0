import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installedMachine, machineDirectory, removeMachine } from './leftovers.ts';
import { DebianMachine } from './machine.ts';
import { ORIGIN, publishProject } from './project.ts';

const CLONE = '/root/deployer';

interface Answer {
  outcome: string;
  details: Record<string, unknown>;
}

/** A bare Debian that a maintainer has made a host by the README's commands alone. */
export class Server {
  readonly machine: DebianMachine;

  private constructor(machine: DebianMachine) {
    this.machine = machine;
  }

  /**
   * Cloned and installed, with what both environments have live.
   * @param prepare what is otherwise than on a bare Debian
   * @param before a commit of the project: that is what is installed
   */
  static async create(
    prepare: (machine: DebianMachine) => Promise<unknown> = async () => {},
    before?: string,
  ): Promise<Server> {
    return Server.#onceLive(await DebianMachine.boot(), async (server) => {
      await prepare(server.machine);
      await publishProject(server.machine, before);
      await server.install();
    });
  }

  /** The same on a bare Debian; installed once in a test run, since that takes a minute. */
  static async installed(): Promise<Server> {
    const name = installedMachine();
    const isThere = join(machineDirectory(name), 'is-installed');
    if (!existsSync(isThere)) {
      await removeMachine(name);
      const first = await Server.#onceLive(await DebianMachine.boot({ name }), async (server) => {
        await publishProject(server.machine);
        await server.install();
      });
      await first.machine.retire();
      await writeFile(isThere, '');
    }
    return Server.#onceLive(await DebianMachine.boot({ like: name }));
  }

  static async #onceLive(
    machine: DebianMachine,
    prepare: (server: Server) => Promise<unknown> = async () => {},
  ): Promise<Server> {
    const server = new Server(machine);
    try {
      await prepare(server);
      await server.live();
      return server;
    } catch (error) {
      await machine.dispose();
      throw error;
    }
  }

  async install(): Promise<void> {
    const { machine } = this;
    await machine.shell(
      `rm -rf ${CLONE} && git clone -q --no-local ${ORIGIN} ${CLONE} && cd ${CLONE} && npm ci --omit=dev --ignore-scripts`,
    );
    await machine.run(['npx', 'deployer', 'install'], { cwd: CLONE });
    await machine.shell('git config user.name A && git config user.email a@example.org', { cwd: CLONE });
  }

  async deployer(...argv: string[]): Promise<Answer> {
    const { stdout, stderr } = await this.machine.exec(['deployer', ...argv, '--json']);
    if (stdout === '') throw new Error(`deployer ${argv.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }

  /** Commits a change of the clone, given as a shell line, and pushes it to dev. Returns the commit. */
  async push(change: string): Promise<string> {
    const line = `${change}\ngit add -A && git commit -qm 'A change' && ${PUSH} && git rev-parse HEAD`;
    return this.machine.shell(line, { cwd: CLONE });
  }

  /** The newest deployment of the commit in dev, once it has ended. */
  async ended(commit: string): Promise<{ outcome: string; cause: string | null }> {
    return this.machine.waitFor(
      `${commit.slice(0, 8)} to end`,
      async () => {
        const { details } = await this.deployer('history', 'dev');
        // Nothing, while the deployer is started again.
        const all = (details['deployments'] ?? []) as {
          commit: string;
          outcome: string | null;
          cause: string | null;
        }[];
        const found = all.find((each) => each.commit === commit);
        return found?.outcome ? { outcome: found.outcome, cause: found.cause } : undefined;
      },
      120_000,
    );
  }

  /** The deployment of the commit in dev runs that stage now. @throws when it has ended without */
  async reaches(commit: string, stage: string): Promise<void> {
    await this.machine.waitFor(`${commit.slice(0, 8)} to reach ${stage}`, async () => {
      const { details } = await this.deployer('history', 'dev');
      const all = details['deployments'] as { id: string; commit: string }[];
      const id = all.find((each) => each.commit === commit)?.id;
      if (id === undefined) return undefined;
      const shown = (await this.deployer('show', id)).details;
      if (shown['outcome'] !== null) throw new Error(`it has ended: ${JSON.stringify(shown).slice(0, 2000)}`);
      const stages = shown['stages'] as { name: string; state: string }[];
      return stages.some(({ name, state }) => name === stage && state === 'running') || undefined;
    });
  }

  /** Every environment is live and at rest. */
  async live(): Promise<void> {
    await this.machine.waitFor(
      'everything to be live',
      async () => {
        const { details } = await this.deployer('status');
        const all = (details['environments'] ?? []) as {
          live: unknown;
          running: unknown;
          waiting: unknown;
        }[];
        return (
          (all.length === 2 && all.every((one) => one.live && !one.running && !one.waiting)) || undefined
        );
      },
      180_000,
    );
  }

  /** The status of a page as visitors get it, by Caddy; 0: no answer. */
  async visit(environment: 'dev' | 'prod', path = '/', options: string[] = []): Promise<number> {
    const address = `http://${environment}.localhost${path}`;
    const curl = [
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      ...options,
      '--resolve',
      '*:80:127.0.0.1',
      address,
    ];
    return Number((await this.machine.exec(curl)).stdout);
  }

  /** The text of a page. */
  async page(environment: 'dev' | 'prod', path: string): Promise<string> {
    const address = `http://${environment}.localhost${path}`;
    return this.machine.run(['curl', '-fsS', '--resolve', '*:80:127.0.0.1', address]);
  }

  async serves(environment: 'dev' | 'prod'): Promise<void> {
    await this.machine.waitFor(
      `${environment} to be served`,
      async () => (await this.visit(environment)) === 200 || undefined,
    );
  }

  /** The id of a full backup, undefined while there is none. */
  async fullBackup(environment: 'dev' | 'prod'): Promise<string | undefined> {
    const { details } = await this.deployer('backup', 'list', environment);
    const all = (details['backups'] ?? []) as { id: string; kind: string }[];
    return all.find(({ kind }) => kind === 'full')?.id;
  }

  /** The ids of the backups, newest first. */
  async backups(environment: 'dev' | 'prod'): Promise<string[]> {
    const { details } = await this.deployer('backup', 'list', environment);
    return (details['backups'] as { id: string }[]).map(({ id }) => id);
  }

  /** Makes a backup. Returns its id. */
  async backup(environment: 'dev' | 'prod'): Promise<string> {
    return String((await this.deployer('backup', 'create', environment)).details['id']);
  }

  /** What doctor finds wrong. */
  async problems(): Promise<unknown[]> {
    const { details } = await this.deployer('doctor');
    return (details['checks'] as { success: boolean }[]).filter(({ success }) => !success);
  }
}

/** As root on the machine itself; from elsewhere it is `git push deployer@host:origin.git`. */
const PUSH =
  'git push -q --force --receive-pack="runuser -u deployer -- git-receive-pack" /var/lib/deployer/origin.git HEAD:dev';
