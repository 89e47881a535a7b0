import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An instance as a program: serves on $LISTEN, drains on SIGTERM; `GET /` answers its name. */
export function writeApplication(directory: string): string {
  const file = join(directory, 'application.mjs');
  writeFileSync(
    file,
    `import { createServer } from 'node:http';
    const name = process.argv[2];
    const server = createServer((request, response) => {
      request.resume().on('end', () => setTimeout(() => response.end(name), Number(request.headers['x-takes'] ?? 0)));
    });
    server.listen(process.env.LISTEN, () => console.log('ready', name));
    process.on('SIGTERM', () => server.close(() => process.exit(0)));`,
  );
  return file;
}
