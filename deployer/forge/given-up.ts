import type { Report } from './types.ts';

/** A report that the forge will never take, as a problem for a person: what, why, and what to do instead. */
export function givenUp(report: Report, error: string | null): string {
  const { what, mend } = told(report);
  return `${what} was given up: ${error ?? 'no reason was given'}. Mend: ${mend}; it is named here for 7 days`;
}

function told(report: Report): { what: string; mend: string } {
  const commit = 'commit' in report ? report.commit.slice(0, 8) : '';
  switch (report.type) {
    case 'revert':
      return {
        what: `the revert of ${commit} on ${report.branch}`,
        mend: `git revert ${commit} by hand, or push what replaces it`,
      };
    case 'tag':
      return { what: `the tag ${report.name} of ${commit}`, mend: 'set a tag by hand, if one is needed' };
    case 'status':
      return {
        what: `the status ${report.context} of ${commit}`,
        mend: `nothing else was lost: ${report.targetUrl} says it`,
      };
    case 'deployment':
      return {
        what: `the forge's record of the deployment ${report.deployment}`,
        mend: `nothing else was lost: ${report.logUrl} says it`,
      };
    default:
      return {
        what: `the comment ${report.key} on ${'pull' in report.on ? `#${report.on.pull}` : report.on.commit.slice(0, 8)}`,
        mend: 'nothing else was lost: the page of the deployment says it',
      };
  }
}
