import type { RequestHandler } from 'express';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import type { Deployment } from '../deployment/model.ts';
import type { Operations } from '../operations.ts';

/** The route that answered: an address itself would be a label without end. */
const matched = z.object({ path: z.string() });

/** What Prometheus reads. The daemon reports each finished deployment; more gauges may join the registry. */
export interface Metrics {
  registry: Registry;
  finished(deployment: Deployment): void;
  requests: RequestHandler;
}

type Asked = Pick<Operations, 'environments' | 'problems'>;

/** `operations` is asked at each scrape for what is live. */
export function createMetrics(operations: Asked): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const deployments = new Counter({
    name: 'deployer_deployments_total',
    help: 'Finished deployments',
    labelNames: ['environment', 'kind', 'outcome'],
    registers,
  });
  const stages = new Histogram({
    name: 'deployer_stage_duration_seconds',
    help: 'How long each stage of a deployment took',
    labelNames: ['environment', 'stage', 'state'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'deployer_http_request_duration_seconds',
    help: 'Requests to the deployer itself',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  addStateGauges(registers, operations);

  return {
    registry,
    finished(deployment) {
      const { environment, kind, outcome } = deployment;
      if (outcome === null) return;
      deployments.inc({ environment, kind, outcome });
      for (const { name: stage, state, durationMs } of deployment.stages) {
        if (durationMs !== null) stages.observe({ environment, stage, state }, durationMs / 1000);
      }
    },
    requests(request, response, next) {
      const end = requestSeconds.startTimer();
      response.once('finish', () => {
        const { data } = matched.safeParse(request.route);
        end({ method: request.method, route: data?.path ?? 'other', status: String(response.statusCode) });
      });
      next();
    },
  };
}

function addStateGauges(registers: Registry[], operations: Asked): void {
  const problems: Gauge = new Gauge({
    name: 'deployer_problems',
    help: 'Problems that an operator should know; GET /api/problems names them',
    registers,
    async collect() {
      problems.set((await operations.problems()).length);
    },
  });
  const locked = new Gauge({
    name: 'deployer_locked',
    help: '1 while an environment is locked',
    labelNames: ['environment'],
    registers,
    async collect() {
      const present = await operations.environments();
      locked.reset();
      for (const { name: environment, lock } of present) locked.set({ environment }, lock === null ? 0 : 1);
    },
  });
  const live = new Gauge({
    name: 'deployer_live_info',
    help: 'What is live: 1, with the commit and its tag as labels',
    labelNames: ['environment', 'commit', 'tag', 'deployment'],
    registers,
    async collect() {
      const present = await operations.environments();
      live.reset();
      for (const { name: environment, live: release } of present) {
        if (release === null) continue;
        const { commit, tag, id } = release;
        live.set({ environment, commit, tag: tag ?? '', deployment: id }, 1);
      }
    },
  });
}
