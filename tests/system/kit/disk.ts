import { chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { machineDirectory } from './leftovers.ts';
import { npmSettings } from './packages.ts';

/** What Debian itself puts into `/`. */
const DEBIAN =
  /^(bin|boot|dev|etc|home|lib(32|64|x32)?|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)$/;
/** What a bare server starts by itself; what else is enabled here is this machine's business. Caddy's package enables it. */
const ENABLED = /^(getty|e2scrub|remote-fs|machines|systemd|caddy|dpkg|apt|logrotate|fstrim|man-db)/;
const NODE = /^(node|npm|npx)$/;
/** A root directory with another Debian in it, to test on that; else this machine's own packages. */
const ROOT = process.env['DEBIAN_ROOT'] ?? '/';

/**
 * The file system of a bare Debian, as long as the machine is there: this machine's own packages below, everything that
 * is written above in memory, and everything that Debian did not put there hidden.
 * @param size of what may be written, as tmpfs takes it
 * @param below what another machine has written: this one begins with it
 * @returns the directory with the root
 */
export async function makeDisk(name: string, size: string, below: string | null): Promise<string> {
  const directory = machineDirectory(name);
  await mkdir(directory, { mode: 0o700 });
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, name, directory]);
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((part) => join(directory, part));
  for (const part of [upper, work, merged]) await mkdir(part ?? '');
  if (below === null) {
    if (ROOT === '/') await hideWhatIsNotDebian(upper ?? '');
    await tellRegistry(upper ?? '');
  }
  const lower = below === null ? ROOT : `${below}:${ROOT}`;
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await execa('mount', ['-t', 'overlay', '-o', options, name, merged ?? '']);
  return merged ?? '';
}

async function hideWhatIsNotDebian(upper: string): Promise<void> {
  await hide(upper, '/', (name) => !DEBIAN.test(name));
  for (const directory of ['/home', '/media', '/mnt', '/opt', '/srv'])
    await hide(upper, directory, () => true);
  await hide(upper, '/root', (name) => !/^\.(bashrc|profile)$/.test(name));
  await hide(upper, '/usr/local/bin', (name) => !NODE.test(name));
  for (const wants of (await entries('/etc/systemd/system')).filter((name) => name.endsWith('.wants'))) {
    await hide(upper, `/etc/systemd/system/${wants}`, (name) => !ENABLED.test(name));
  }
}

async function tellRegistry(upper: string): Promise<void> {
  const { file, text } = await npmSettings(ROOT);
  await copyDirectory(upper, dirname(file));
  await writeFile(join(upper, file), text);
}

/** A device 0:0 in the upper layer is how overlayfs notes that a file is gone. */
async function hide(upper: string, directory: string, isHidden: (name: string) => boolean): Promise<void> {
  const names = (await entries(directory)).filter(isHidden);
  if (names.length === 0) return;
  await copyDirectory(upper, directory);
  for (const name of names) await execa('mknod', [join(upper, directory, name), 'c', '0', '0']);
}

/** The directory in the upper layer, with the mode and owner that it has below. */
async function copyDirectory(upper: string, directory: string): Promise<void> {
  if (directory === '/') return;
  await copyDirectory(upper, dirname(directory));
  const { mode, uid, gid } = await stat(join(ROOT, directory));
  const copy = join(upper, directory);
  await mkdir(copy, { recursive: true });
  await chown(copy, uid, gid);
  await execa('chmod', [(mode & 0o7777).toString(8), copy]);
}

async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
