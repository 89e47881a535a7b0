// Claims the home that is named on the command line, says so, and keeps it until its standard input ends.
import { claimHome } from '../../../deployer/daemon/home.ts';

if (import.meta.main) {
  claimHome(process.argv[2] ?? '');
  process.stdout.write('claimed\n');
  process.stdin.resume();
}
