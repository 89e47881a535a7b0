/** Where migration programs note what they applied: Knex, Rails, Django, Flyway, Alembic, goose and what is called alike. */
const BOOKKEEPING =
  /^(.*_)?(migrations?(_lock|_history)?|schema_(version|history|info)|alembic_version|goose_db_version)$/i;

export const isBookkeeping = (table: string): boolean => BOOKKEEPING.test(table);
