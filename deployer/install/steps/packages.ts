import { readFile } from 'node:fs/promises';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';

/** Debian packages. They stay when the deployer goes: others may have come to need them. */
export function packages(host: Host, names: readonly string[]): Step {
  const missing = async () => {
    const installed = installedIn(await readFile('/var/lib/dpkg/status', 'utf8').catch(() => ''));
    return names.filter((name) => !installed.has(name));
  };
  return {
    title: `Debian packages ${names.join(' ')}`,
    made: null,
    async check() {
      const absent = await missing();
      return absent.length === 0 ? null : `missing: apt-get install ${absent.join(' ')}`;
    },
    async apply() {
      const env = { DEBIAN_FRONTEND: 'noninteractive' };
      await host.run(['apt-get', 'update', '-qq'], { env });
      const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'];
      await host.run([...install, ...(await missing())], { env });
    },
  };
}

/** dpkg's own table, one paragraph a package: deb822(5). */
function installedIn(status: string): Set<string> {
  const paragraphs = status.split('\n\n').filter((text) => /^Status: install ok installed$/m.test(text));
  return new Set(paragraphs.map((text) => /^Package: (.*)$/m.exec(text)?.[1] ?? ''));
}
