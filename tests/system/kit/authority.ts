import type { DebianMachine } from './machine.ts';

const HOME = '/srv/authority';
const NAME = 'authority.example.test';

/** Its own certificate, which whoever trusts it knows. */
export const ROOT = '/etc/caddy/authority.crt';

/** What a maintainer adds to the options at the top of the Caddyfile to have another authority than the public one. */
export const GLOBAL_OPTIONS = `
	email maintainer@example.test
	acme_ca https://${NAME}:9443/acme/local/directory
	acme_ca_root ${ROOT}
`;

/** A certificate authority that speaks ACME (RFC 8555) inside of the machine: a second Caddy. It looks at ports 80 and 443. */
export async function startAuthority(machine: DebianMachine, ...names: string[]): Promise<void> {
  await machine.shell(`echo '127.0.0.1 ${[NAME, ...names].join(' ')}' >> /etc/hosts`);
  await machine.put(`${HOME}/Caddyfile`, AUTHORITY);
  await machine.shell(
    `systemd-run --quiet --unit=authority -E HOME=${HOME} -E XDG_DATA_HOME=${HOME} caddy run --config ${HOME}/Caddyfile`,
  );
  const root = `${HOME}/caddy/pki/authorities/local/root.crt`;
  await machine.waitFor(
    'the authority',
    async () => (await machine.exec(['install', '-m', '0644', root, ROOT])).code === 0 || undefined,
  );
}

const AUTHORITY = `{
	admin off
	skip_install_trust
	auto_https disable_redirects
}
https://${NAME}:9443 {
	tls internal
	acme_server
}
`;
