import { z } from 'zod';

/** What has to hear of a change once all files are there, in this order: each may need the one before. */
export const RELOADS = ['systemd', 'caddy-restart', 'caddy', 'deployer'] as const;
export type Reload = (typeof RELOADS)[number];

/** What install has made, as its manifest records it: no more than is needed to take it away again. */
export const madeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('user'), name: z.string() }),
  z.strictObject({ kind: z.literal('directory'), path: z.string(), keeps: z.string().nullable() }),
  z.strictObject({ kind: z.literal('file'), path: z.string(), keeps: z.string().nullable() }),
  z.strictObject({ kind: z.literal('line'), path: z.string(), line: z.string() }),
  z.strictObject({ kind: z.literal('code'), path: z.string() }),
  z.strictObject({ kind: z.literal('service'), unit: z.string() }),
]);

export type Made = z.output<typeof madeSchema>;

/** One thing that install promises, or that uninstall takes away. Each knows whether it holds, and how it is made to. */
export interface Step {
  /** As the plan says it: `directory /var/lib/deployer, deployer:deployer 0750`. */
  title: string;
  /** null: it is as promised; else what there is instead. */
  check(): Promise<string | null>;
  /** Makes it so; may be repeated. @throws FailedError */
  apply(): Promise<void>;
  /** What uninstall takes away; null: it stays, as packages do. */
  made: Made | null;
  reloads?: Reload;
  /** What doctor advises; `deployer install`, if absent. */
  mend?: string;
}
