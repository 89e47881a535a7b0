// The small application that everybody deploys (contract section 4): Express, and notes in SQLite.
import { readFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import express from 'express';

const { LISTEN, DATABASE_FILE } = process.env;
const { version, table } = JSON.parse(readFileSync(new URL('version.json', import.meta.url), 'utf8'));
let readOnly = process.env.DEPLOYMENT_MODE === 'true';

const database = new DatabaseSync(DATABASE_FILE);
database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL');
const newest = database.prepare(`SELECT id FROM ${table} ORDER BY id DESC LIMIT 1`);
const insert = database.prepare(`INSERT INTO ${table} (text) VALUES (?)`);

const app = express();
app.get('/_deploy/health', (_request, response) => response.json({ status: 'ok' }));
app.put('/_deploy/mode', express.json(), (request, response) => {
  readOnly = request.body.deployment_mode;
  response.status(204).end();
});
app.get('/', (_request, response) => response.json({ version, newest: newest.get()?.id ?? null }));
app.post('/notes', express.text({ type: () => true }), (request, response) => {
  if (readOnly) {
    response.status(503).json({ error: 'read-only' });
    return;
  }
  const { lastInsertRowid } = insert.run(request.body);
  response.status(201).json({ id: Number(lastInsertRowid) });
});

const server = LISTEN.startsWith('/') ? listenOnSocket(LISTEN) : listenOnPort(...LISTEN.split(':'));

function listenOnSocket(path) {
  rmSync(path, { force: true });
  return app.listen(path);
}

function listenOnPort(host, port) {
  return app.listen(Number(port), host);
}

// pm2 sends SIGINT.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
