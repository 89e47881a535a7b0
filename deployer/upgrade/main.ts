// What `deployer upgrade` runs: always the code that root installed, never what is being judged.
import { systemctl } from '../host/systemd/systemctl.ts';
import { oneLine } from '../problem.ts';
import { beforeStart } from './before-start.ts';
import { UPGRADES } from './place.ts';
import { put } from './put.ts';
import { upgradeUnit } from './unit.ts';

const [verb, name = ''] = process.argv.slice(2);
const home = process.env['DEPLOYER_HOME'] ?? '';
const place = { home, upgrades: UPGRADES };

try {
  if (verb === 'put') await put(name, place);
  else if (verb === 'before-start')
    await beforeStart({ ...place, put: (release) => systemctl('start', upgradeUnit(release)) });
  else throw new Error('usage: deployer upgrade put RELEASE | before-start');
} catch (error) {
  process.stderr.write(`deployer: ${oneLine(error)}\n`);
  process.exitCode = 1;
}
