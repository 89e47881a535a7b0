import type { Knex } from 'knex';
import { assertDatabaseFile, openReader, openWriter, setQueryOnly } from './sqlite.ts';

/** Who writes, and on whose behalf: what the audit triggers record. */
interface Origin {
  actorId: number | null;
  deploymentId: string;
  requestId: string;
}

export type Transaction = Knex.Transaction;
export type Work<T> = (trx: Transaction) => Promise<T>;

export interface Database {
  /** Cannot write. */
  read: Knex;
  /** One transaction; its first statement takes the write lock, so that what it reads stays true until it commits. */
  write: <T>(origin: Origin, work: Work<T>) => Promise<T>;
  /** On: resolves once the transaction in flight has ended; every later write fails at the handle. */
  setReadOnly: (on: boolean) => Promise<void>;
  /** Closes the files and opens what is at their path now. */
  reopen: () => Promise<void>;
  close: () => Promise<void>;
}

export function openDatabase(file: string, startReadOnly: boolean): Database {
  let readOnly = startReadOnly;
  const read = openReader(file);
  const writer = openWriter(file, () => readOnly);
  return {
    read,
    write: async (origin, work) => {
      assertDatabaseFile(file);
      return writer.transaction((trx) => asActor(trx, origin, work));
    },
    setReadOnly: async (on) => {
      readOnly = on;
      assertDatabaseFile(file);
      await setQueryOnly(writer, on);
    },
    reopen: async () => {
      await Promise.all([read.destroy(), writer.destroy()]);
      read.initialize();
      writer.initialize();
    },
    close: async () => {
      await Promise.all([read.destroy(), writer.destroy()]);
    },
  };
}

/** The triggers read the context row; it is set and cleared inside the transaction, so nobody else ever sees it. */
async function asActor<T>(trx: Transaction, origin: Origin, work: Work<T>): Promise<T> {
  await trx('audit_context').update({
    actor_id: origin.actorId,
    deployment_id: origin.deploymentId,
    request_id: origin.requestId,
  });
  const result = await work(trx);
  await trx('audit_context').update({ actor_id: null, deployment_id: null, request_id: null });
  return result;
}
