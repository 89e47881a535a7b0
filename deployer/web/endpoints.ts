import type { Operations } from '../operations.ts';
import type { Endpoint } from './endpoint.ts';
import { changing, named, reading } from './endpoint.ts';
import { sendChunks, sendEvents, unlessGone, wantsEvents } from './event-stream.ts';
import { liveDeployment, liveLog } from './live.ts';
import {
  backupBody,
  deployBody,
  auditQuery,
  historyQuery,
  lockBody,
  nothing,
  promoteBody,
  removeBody,
  restoreBody,
  rollbackBody,
  verifyBody,
  migrationsQuery,
} from './requests.ts';
import {
  audit,
  backup,
  backups,
  backupVerification,
  deployment,
  deploymentPage,
  drillReport,
  environment,
  environments,
  migrations,
  problems,
  removed,
  verification,
} from './schemas.ts';

const ENVIRONMENT = '/api/environments/{environment}';
const BACKUP = `${ENVIRONMENT}/backups/{backup}`;
const DEPLOYMENT = '/api/deployments/{deployment}';

/** The API of contract section 10, and what the verbs need besides. */
export const endpoints: readonly Endpoint[] = [
  reading('/api/environments', {
    summary: 'Every environment: what is live, what is running, the last outcome',
    query: nothing,
    answer: environments,
    read: async (operations) => ({ environments: await operations.environments() }),
  }),
  reading('/api/problems', {
    summary:
      'What an operator should know: the forge out of reach, a token that may not report, a broken environment file',
    query: nothing,
    answer: problems,
    read: async (operations) => ({ problems: await operations.problems() }),
  }),
  reading(ENVIRONMENT, {
    summary: 'One environment',
    query: nothing,
    answer: environment,
    read: (operations, input) => operations.environment(input.environment),
  }),
  changing('delete', ENVIRONMENT, {
    summary: 'Takes an environment away that no branch holds any more; its data and backups stay',
    body: removeBody,
    answer: removed,
    change: (operations, { environment: name, body, by }) => operations.remove(name, { ...body, by }),
  }),
  changing('post', `${ENVIRONMENT}/deployments`, {
    summary: 'Deploys the branch of the environment, another branch or a commit',
    body: deployBody,
    answer: deployment,
    change: (operations, { environment: name, body, by }) =>
      operations.deploy({ environment: name, ...body, by }),
    deployment: (answer) => answer.id,
  }),
  changing('post', `${ENVIRONMENT}/promotions`, {
    summary: 'Merges the branch of another environment into the branch of this one, and deploys it',
    body: promoteBody,
    answer: deployment,
    change: (operations, { environment: to, body, by }) => operations.promote({ to, ...body, by }),
    deployment: (answer) => answer.id,
  }),
  changing('post', `${ENVIRONMENT}/rollback`, {
    summary: 'Back to an earlier release, database included',
    body: rollbackBody,
    answer: deployment,
    change: (operations, { environment: name, body, by }) => {
      const { last: _, commit, version, ...rest } = body;
      return operations.rollback({ environment: name, target: target(commit, version), ...rest, by });
    },
    deployment: (answer) => answer.id,
  }),
  changing('post', `${ENVIRONMENT}/rehearsals`, {
    summary: 'Rehearses the head of the branch on a copy; nothing live is touched',
    body: nothing,
    answer: deployment,
    change: (operations, input) => operations.rehearse(input.environment, input.by),
    deployment: (answer) => answer.id,
  }),
  changing('post', `${ENVIRONMENT}/verify`, {
    summary: 'Runs the suites against what is live, and answers when they are through',
    body: verifyBody,
    answer: verification,
    change: (operations, input) => operations.verify(input.environment, input.body.suites),
  }),
  changing('post', `${ENVIRONMENT}/lock`, {
    summary: 'No deployments until unlocked',
    body: lockBody,
    answer: environment,
    change: async (operations, { environment: name, body, by }) => {
      await operations.lock(name, body.reason, by);
      return operations.environment(name);
    },
  }),
  changing('delete', `${ENVIRONMENT}/lock`, {
    summary: 'Takes the lock away',
    body: nothing,
    answer: environment,
    change: async (operations, { environment: name, by }) => {
      await operations.unlock(name, by);
      return operations.environment(name);
    },
  }),
  reading(`${ENVIRONMENT}/migrations`, {
    summary: 'Applied migrations, and those that the head of the branch would bring',
    query: migrationsQuery,
    answer: migrations,
    secret: true,
    read: (operations, { environment: name, query }) => operations.migrations(name, query.rehearsal),
  }),
  reading(`${ENVIRONMENT}/backups`, {
    summary: 'The verified backups',
    query: nothing,
    answer: backups,
    read: async (operations, input) => ({ backups: await operations.backups(input.environment) }),
  }),
  changing('post', `${ENVIRONMENT}/backups`, {
    summary: 'Makes a backup, and answers when it is verified',
    body: backupBody,
    answer: backup,
    change: (operations, { environment: name, body, by }) =>
      operations.createBackup(name, { full: body.full, by }),
  }),
  changing('post', `${BACKUP}/verify`, {
    summary: 'Whether the backup can be restored to what it was made from',
    body: nothing,
    answer: backupVerification,
    change: (operations, input) => operations.verifyBackup(input.environment, input.backup),
  }),
  changing('post', `${BACKUP}/restore`, {
    summary: 'The live release on the data of the backup; what that drops is saved beside it',
    body: restoreBody,
    answer: deployment,
    change: (operations, { environment: name, backup: id, body, by }) =>
      operations.restoreBackup(name, id, { ...body, by }),
    deployment: (answer) => answer.id,
  }),
  changing('post', `${BACKUP}/drill`, {
    summary: 'Restores the backup beside what is live and verifies the live release on it; leaves nothing',
    body: nothing,
    answer: drillReport,
    change: (operations, input) => operations.drill(input.environment, input.backup, input.by),
  }),
  {
    method: 'get',
    path: `${BACKUP}/export`,
    summary: 'The database of the backup as SQL text',
    query: nothing,
    body: nothing,
    answers: { 'application/sql': null },
    secret: true,
    async respond(operations, request, response) {
      const { environment: name, backup: id } = named(request);
      response.type('application/sql');
      await unlessGone(response, operations.exportBackup(name, id, response));
    },
  },
  reading(`${ENVIRONMENT}/audit`, {
    summary: 'Who changed what, newest first',
    query: auditQuery,
    answer: audit,
    read: (operations, input) => operations.audit(input.environment, input.query.cursor),
  }),
  reading('/api/deployments', {
    summary: 'Deployments, newest first',
    query: historyQuery,
    answer: deploymentPage,
    read: (operations, input) => operations.deployments(input.query),
  }),
  {
    method: 'get',
    path: DEPLOYMENT,
    summary: 'One deployment; as events: it as it is and after each change, and `end`',
    query: nothing,
    body: nothing,
    answers: { 'application/json': deployment, 'text/event-stream': null },
    async respond(operations, request, response) {
      const { deployment: id } = named(request);
      const present = await operations.deployment(id);
      if (wantsEvents(request)) {
        await sendEvents(response, (signal) => liveDeployment(operations, id, signal));
      } else {
        response.json(present);
      }
    },
  },
  {
    method: 'get',
    path: `${DEPLOYMENT}/log`,
    summary: 'The log so far; as events: each line, live, and `end` with the outcome',
    query: nothing,
    body: nothing,
    answers: { 'text/plain': null, 'text/event-stream': null },
    async respond(operations, request, response) {
      const { deployment: id } = named(request);
      await operations.deployment(id);
      if (wantsEvents(request)) {
        const seen = Number(request.get('Last-Event-ID') ?? 0) || 0;
        return sendEvents(response, (signal) => liveLog(operations, id, seen, signal));
      }
      response.type('text/plain');
      await sendChunks(response, (signal) => logText(operations, id, signal));
    },
  },
];

function target(commit: string | undefined, version: string | undefined) {
  if (commit !== undefined) return { commit };
  return version === undefined ? ({ last: true } as const) : { version };
}

async function* logText(operations: Operations, id: string, signal: AbortSignal): AsyncIterable<string> {
  for await (const line of operations.log(id, { follow: false, signal })) yield `${line}\n`;
}
