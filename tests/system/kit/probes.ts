const H = '/var/lib/deployer';
const python = (code: string) => `python3 -c ${JSON.stringify(code)}`;
const connect = (address: string) =>
  python(`import socket; s=socket.socket(socket.AF_UNIX); s.connect(${address})`);

/**
 * What a hostile commit would try in a command of its own. Each succeeds, that is exits with 0, for root outside of the
 * sandbox: it tests the sandbox and not its own spelling. `$DAEMON` and `$INSTANCE` are process ids, `$W` may be written.
 */
export const PROBES: Readonly<Record<string, string>> = {
  'read the admin token': `cat ${H}/admin-token`,
  'read the webhook secret': `cat ${H}/webhook-secret`,
  'see what the home holds': `ls ${H} | grep admin-token`,
  'read the state store': `cat ${H}/state.sqlite`,
  "read another environment's database": `cat ${H}/data/prod/g1/datatracker.db`,
  "see another environment's generations": `ls ${H}/data/prod`,
  'read the live database of its own environment': `cat ${H}/data/dev/g1/datatracker.db`,
  "read another environment's files": `cat ${H}/files/prod/upload`,
  "read another environment's secrets": `cat ${H}/units/prod-blue/environment`,
  'read the settings': 'cat /etc/deployer/settings',
  'see which secrets there are': 'ls /etc/deployer/credentials',
  'read the password file': 'cat /etc/shadow',
  'read backups': `cat ${H}/backups/prod/manifest.json`,
  'read the repository': `ls ${H}/origin.git`,
  'read the journal': 'journalctl --quiet --lines=1 | grep .',
  'read the kernel log': 'dmesg --raw >/dev/null || head -c 1 /dev/kmsg',
  'write to another release': `touch ${H}/releases/other/planted`,
  'write to its own release': `touch ${H}/releases/own/planted`,
  'write to shared dependencies': `touch ${H}/dependencies/planted`,
  'write to the home': `touch ${H}/planted`,
  'change what its own unit runs': `echo x >> ${H}/units/prod-blue/environment`,
  'write to /etc': 'touch /etc/planted',
  'write to /usr': 'touch /usr/local/bin/planted',
  'plant a scheduled job': 'touch /etc/cron.d/planted /var/spool/planted',
  'enter the home by process 1': `cat /proc/1/root${H}/admin-token`,
  'enter the home by another process': `cat /proc/$DAEMON/root${H}/admin-token`,
  "read the daemon's environment": 'cat /proc/$DAEMON/environ | grep -a CANARY',
  "read an instance's environment": 'tr "\\0" "\\n" < /proc/$INSTANCE/environ | grep -a LISTEN',
  "see the daemon's command line": 'cat /proc/$DAEMON/cmdline | grep -a .',
  "read the daemon's memory": python("import os,sys; d=os.environ['DAEMON']; open('/proc/'+d+'/mem','rb')"),
  'see the processes of others': 'ls /proc | grep -x $DAEMON',
  "read an instance's memory map": 'cat /proc/$INSTANCE/maps | grep -a .',
  'trace the daemon': python(
    "import ctypes,os,sys; l=ctypes.CDLL(None); d=int(os.environ['DAEMON']); r=l.ptrace(16,d,0,0); r==0 and os.waitpid(d,0x40000000); l.ptrace(17,d,0,0); sys.exit(r!=0)",
  ),
  'signal the daemon': 'kill -0 $DAEMON',
  'signal process 1': 'kill -0 1',
  'signal an instance': 'kill -0 $INSTANCE',
  "talk to the deployer's API": 'exec 3<>/dev/tcp/127.0.0.1/9000',
  'reach the network': 'exec 3<>/dev/tcp/127.0.0.1/4873',
  'send a datagram': 'echo x > /dev/udp/127.0.0.1/53',
  'open a packet socket': python('import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'),
  "open the daemon's socket": connect(`'${H}/run/control.sock'`),
  'open an abstract socket of the host': connect("chr(0) + 'decoy'"),
  "open another environment's instance": connect("'/run/datatracker/prod-blue/http.sock'"),
  'read what systemd knows of units': 'ls /run/systemd/units | grep invocation',
  'talk to systemd': 'systemctl list-units --no-pager | grep deployer',
  'talk to the system bus': connect("'/run/dbus/system_bus_socket'"),
  'gain rights by a setuid program': 'test "$(/usr/local/bin/setuid-id -u)" = 0',
  'make a setuid program': 'cp /usr/bin/id $W/id && chmod 4755 $W/id && test -u $W/id',
  'mount something': 'mkdir -p $W/m && mount -t tmpfs none $W/m && umount $W/m',
  'enter a namespace of its own': 'unshare --user true',
  'make a device': 'mknod $W/null c 1 3',
  'change its root': 'chroot / true',
  "change a file's owner": 'touch $W/owned && chown deployer $W/owned',
  'take a file of root by a hard link':
    'ln /etc/shadow $W/shadow || ln /var/lib/decoy $W/decoy || cp /var/lib/decoy $W/decoy',
  'raise its priority': 'nice -n -5 true 2>&1 | grep -q . && exit 1 || exit 0',
  'change the clock': python('import time; time.clock_settime(time.CLOCK_REALTIME, time.time())'),
  'change the host name': 'hostname "$(hostname)"',
  'leave its cgroup': 'mkdir /sys/fs/cgroup/unified/planted || mkdir /sys/fs/cgroup/planted',
  "see another program's temporary files": 'cat /tmp/decoy',
};

/** What an installation may do besides: it has the network, to which abstract sockets belong. */
export const OF_INSTALLATIONS = [
  "talk to the deployer's API",
  'reach the network',
  'send a datagram',
  'open an abstract socket of the host',
];

/**
 * What a release that is live may do besides. An instance of another environment it has to guess the number of: they have
 * one user, and Debian 12's systemd has no process namespaces.
 */
export const OF_APPLICATIONS = [...OF_INSTALLATIONS, 'signal an instance'];

/** A shell's program that tries all of them, and says which it can. */
export const TRY_ALL = Object.values(PROBES)
  .map((probe, at) => `timeout 10 bash -c ${quoted(probe)} </dev/null >/dev/null 2>&1 && echo ${at}`)
  .join('\n');

/** @param output of `TRY_ALL` */
export function whatItCan(output: string): string[] {
  const names = Object.keys(PROBES);
  return output
    .split('\n')
    .filter(Boolean)
    .map((at) => names[Number(at)] ?? at);
}

/** A word of a shell's line. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
