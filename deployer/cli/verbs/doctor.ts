import { findHome } from '../connection.ts';
import { failedCheck } from '../text/suites.ts';
import type { Verb } from '../verb.ts';

export const doctor: Verb = {
  name: 'doctor',
  arguments: [],
  summary: 'checks this host and these settings: every problem with its mend',
  options: {},
  async run({ io, paint }) {
    const { findSubject } = await import('../../doctor/subject.ts');
    const { examine } = await import('../../doctor/doctor.ts');
    const home = findHome(io.env['DEPLOYER_HOME'], io.cwd);
    const checks = await examine(await findSubject({ env: io.env, home, signal: io.signal }));
    const failed = checks.filter(({ success }) => !success);
    const outcome = failed.length === 0 ? 'ok' : 'failed';
    const good = checks
      .filter(({ success }) => success)
      .map(({ name, actual }) => `  ${paint.good('✓')} ${name}: ${actual}`);
    const lines = [
      ...good,
      ...failed.flatMap((check) => failedCheck(check, paint)),
      failed.length === 0
        ? `${checks.length} checks, no problem`
        : `${failed.length} of ${checks.length} checks found a problem`,
    ];
    return { outcome, details: { checks }, text: lines.join('\n') };
  },
};
