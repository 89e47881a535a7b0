// A small application that follows contract section 4, on Node alone: notes in SQLite.
import { createServer } from 'node:http';
import { appendFileSync, existsSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const { LISTEN, DATABASE_FILE, RELEASE_COMMIT, DEPLOYMENT_ID } = process.env;
const behaviour = JSON.parse(readFileSync(new URL('behaviour.json', import.meta.url), 'utf8'));
const table = behaviour.table ?? 'notes';
let readOnly = process.env.DEPLOYMENT_MODE === 'true' && !behaviour.noMode;
// Whether it is live, as far as it can know.
let visited = false;
const rests = () => (behaviour.noMode ? !visited : readOnly);

if (behaviour.start === 'crash') throw new Error('planted: crash at the start');
if (behaviour.start === 'end') process.exit(0);
if (behaviour.start === 'tell') throw new Error(`it is ${process.env[behaviour.tells]}`);
const database = new DatabaseSync(DATABASE_FILE);
database.exec('PRAGMA busy_timeout = 2000');
if (behaviour.start === 'write') database.exec(`INSERT INTO ${table} (text) VALUES ('written at the start')`);
if (behaviour.startSql) database.exec(behaviour.startSql);
if (behaviour.slotSql && /(blue|green)\.sock$/.test(LISTEN)) database.exec(behaviour.slotSql);

// A job that no request caused; what it has stored it notes outside of the database.
let ticks = 0;
function tick() {
  const text = `tick-${process.pid}-${ticks++}`;
  try {
    database.prepare(`INSERT INTO ${table} (text) VALUES (?)`).run(text);
    appendFileSync(join(process.env.FILES_DIR, 'ticks'), `${text}\n`);
  } catch {
    // Locked for longer than it waits: it was not stored.
  }
}
if (behaviour.background) setInterval(() => rests() || tick(), behaviour.background);

// Writes behind everybody's back once it is live, as the audit triggers of an application would record it.
function rogue() {
  const { lastInsertRowid } = database.prepare(`INSERT INTO ${table} (text) VALUES ('nobody asked')`).run();
  database
    .prepare(
      `INSERT INTO audit_log (at, deployment_id, table_name, row_id, action) VALUES ('2001-01-01T00:00:00Z', ?, ?, ?, 'insert')`,
    )
    .run(behaviour.rogue === 'nameless' ? null : DEPLOYMENT_ID, table, String(lastInsertRowid));
}

function throwLive() {
  throw new Error('planted: it ends once live');
}

const columns = () =>
  database
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map(({ name }) => name);

let looks = 0;
const server = createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/_deploy/health') {
    if (behaviour.health === 'hang') return;
    const isSick = behaviour.sickLive === 'at times' ? looks++ % 2 === 1 : behaviour.sickLive;
    return answer(isSick && !rests() ? 503 : (behaviour.health ?? 200), { status: 'ok' });
  }
  if (request.url === '/_deploy/mode' && behaviour.noMode) return answer(404, {});
  if (request.url === '/_deploy/mode' && request.method === 'PUT') {
    let body = '';
    for await (const chunk of request) body += chunk;
    readOnly = JSON.parse(body).deployment_mode;
    if (!readOnly && behaviour.rogue) rogue();
    if (!readOnly && behaviour.throwLive) setTimeout(throwLive, 50);
    return response.writeHead(204).end();
  }
  if (request.url === '/crash-later' && behaviour.crashLater) process.exit(1);
  if (request.method === 'GET' && request.url === '/notes') {
    return answer(200, database.prepare(`SELECT * FROM ${table} ORDER BY id`).all());
  }
  const { pathname, searchParams } = new URL(request.url, 'http://sample');
  if (request.method === 'POST' && pathname === '/notes') {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (searchParams.has('wait')) await sleep(Number(searchParams.get('wait')));
    if (readOnly) return answer(503, { error: 'read-only' });
    visited = true;
    const { lastInsertRowid } = database.prepare(`INSERT INTO ${table} (text) VALUES (?)`).run(text);
    return answer(201, { id: Number(lastInsertRowid) });
  }
  if (request.url === '/broken' || request.url === '/') {
    const status =
      request.url === '/' ? ((readOnly ? undefined : behaviour.homeLive) ?? behaviour.home ?? 200) : 404;
    return answer(status, {
      version: behaviour.version,
      commit: RELEASE_COMMIT,
      deployment: DEPLOYMENT_ID,
      columns: columns(),
      told: process.env[behaviour.tells],
    });
  }
  answer(404, { error: 'nothing here' });
});

if (LISTEN.startsWith('/')) {
  if (existsSync(LISTEN)) unlinkSync(LISTEN);
  server.listen(LISTEN);
} else {
  const [host, port] = LISTEN.split(':');
  server.listen(Number(port), host);
}
process.once('SIGTERM', () => {
  if (behaviour.deaf) return;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
