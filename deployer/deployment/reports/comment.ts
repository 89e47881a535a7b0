import type { Report } from '../../forge/types.ts';
import type { Check, Suite } from '../model.ts';
import type { DeploymentRecord } from '../record.ts';
import { PROMOTION_SUITE, REHEARSAL_SUITE } from '../rehearsal/suite.ts';
import { block, code, details } from './markdown.ts';
import { reproduce } from './reproduce.ts';
import { pageOf, timeOf } from './status.ts';

/** A comment is for reading: the rest is on the deployment's page. */
const MOST_CHECKS = 20;

type On = Extract<Report, { type: 'comment' }>['on'];

/**
 * The report that a person or an agent can act on, for the pull request: one for each environment, updated in place.
 * What strangers wrote stands in code, where it means nothing.
 */
export function comment(
  deployment: DeploymentRecord,
  suites: Suite[],
  told: Told & { on: On; headline: string },
): Report {
  return {
    type: 'comment',
    on: told.on,
    key: `deploy/${deployment.environment}`,
    body: `### ${told.headline}\n\n${findings(deployment, suites, told)}`,
    at: timeOf(deployment),
  };
}

interface Told {
  url: string;
  description: string;
}

/** What is known of a deployment, as Markdown. */
export function findings(deployment: DeploymentRecord, suites: Suite[], told: Told): string {
  const { commit, logTail } = deployment;
  const failed = suites.flatMap(({ name, checks }) =>
    checks.filter(({ success }) => !success).map((check) => ({ suite: name, check })),
  );
  const forecast = suites.find(({ name }) => name === REHEARSAL_SUITE);
  const commands = reproduce(deployment, suites);
  const parts = [
    code(told.description),
    `Commit ${commit}, [everything about it](${pageOf(told.url, deployment)})`,
    failed.length > 0 &&
      section('What failed', block(failed.slice(0, MOST_CHECKS).flatMap(checkLines), 'text')),
    failed.length > MOST_CHECKS && `and ${failed.length - MOST_CHECKS} more`,
    forecast?.success &&
      section('What the rehearsal foretells', block(forecast.checks.map(sentence), 'text')),
    gateLines(suites),
    logTail.length > 0 && details('The last lines of the instance', block(logTail, 'text')),
    commands.length > 0 && details('Reproduce it in a clone', block(commands, 'sh')),
  ];
  return parts.filter((part) => typeof part === 'string' && part !== '').join('\n\n');
}

const section = (title: string, body: string) => `**${title}**\n\n${body}`;

const sentence = ({ name, actual }: Check) => `${name} ${actual}`;

function checkLines({ suite, check }: { suite: string; check: Check }): string[] {
  const { name, expected, actual, hint, location } = check;
  return [
    `${suite}: ${name}`,
    `  expected  ${expected}`,
    `  actual    ${actual}`,
    ...(hint === null ? [] : [`  hint      ${hint}`]),
    ...(location === null ? [] : [`  where     ${location}`]),
  ];
}

function gateLines(suites: Suite[]): string | null {
  const gate = suites.find(({ name }) => name === PROMOTION_SUITE);
  return gate ? `The promotion gate ${code(gate.checks.map(({ actual }) => actual).join('; '))}` : null;
}
