/** What a thread can do: each job takes one value that can be cloned, and a signal that says its result is not wanted. */
export type Jobs = Record<string, (input: never, signal: AbortSignal) => unknown>;

export type Input<J extends Jobs, K extends keyof J> = Parameters<J[K]>[0];
export type Output<J extends Jobs, K extends keyof J> = Awaited<ReturnType<J[K]>>;

/** `I` and `V` are `never` on the side that receives: both sides are typed by the same jobs, the wire is not. */
export type Request<I> = { call: number; job: string; input: I } | { cancel: number };

export type Answer<V> = { call: number; value: V } | { call: number; problem: string };
