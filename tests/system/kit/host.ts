import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import type { DebianMachine } from './machine.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const CODE = '/opt/deployer';
/** Debian 13's npm makes no link to it. */
export const NODE = `${CODE}/node_modules/node-linux-${process.arch}/bin/node`;
export const HOME = '/var/lib/deployer';

const UNITS = readdirSync(`${PROJECT}environments/systemd`).filter((name) => name.endsWith('.service'));

/** What these tests need of a host, and nothing more: packages, users, directories, units, rules, code. `install` has tests of its own. */
export async function prepareHost(machine: DebianMachine): Promise<void> {
  await machine.shell(`
    apt-get install -y -qq --no-install-recommends polkitd python3 >/dev/null
    useradd --system --no-create-home --shell /usr/sbin/nologin datatracker
    useradd --system --no-create-home --home-dir ${HOME} -G datatracker,systemd-journal deployer
    install -d -o deployer -g datatracker -m 0711 ${HOME}
    install -d -m 0750 -o root -g deployer /etc/deployer
    install -d -m 0700 /etc/deployer/credentials /etc/deployer/credentials.encrypted`);
  for (const unit of UNITS) await machine.put(`/etc/systemd/system/${unit}`, template(unit));
  await machine.put('/etc/polkit-1/rules.d/50-deployer.rules', template('deployer.rules'));
  const { stdout } = await promisify(execFile)(
    'tar',
    [
      '-C',
      PROJECT,
      '-cf',
      '-',
      ...'deployer backups environments migrations package.json package-lock.json tests/system/kit'.split(
        ' ',
      ),
    ],
    { encoding: 'buffer', maxBuffer: 1 << 28 },
  );
  await machine.shell(`mkdir -p ${CODE} && tar -C ${CODE} -xf - && chown -R root:root ${CODE}`, {
    input: stdout,
  });
  await machine.shell('npm ci --omit=dev --ignore-scripts --no-audit --no-fund', { cwd: CODE });
  await machine.shell('systemctl daemon-reload');
}

function template(name: string): string {
  return readFileSync(`${PROJECT}environments/systemd/${name}`, 'utf8');
}

/** As the daemon runs: its user, with the application's group first. */
export function asDeployer(argv: readonly string[]): string[] {
  return ['setpriv', '--reuid=deployer', '--regid=datatracker', '--groups=systemd-journal', '--', ...argv];
}

export const inSandbox = asDeployer([NODE, `${CODE}/tests/system/kit/in-sandbox.ts`]);
