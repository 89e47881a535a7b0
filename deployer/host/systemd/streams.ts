import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

export interface Stream {
  /** Resolves when whoever wrote has ended; at once when nobody came. */
  ended(): Promise<void>;
  close(): void;
}

/** Takes what a unit writes to `StandardOutput=file:SOCKET`: systemd connects before it gives up its rights. One connection. */
export async function listenFor(path: string, take: (chunk: Buffer) => void): Promise<Stream> {
  rmSync(path, { force: true });
  let connection: Socket | undefined;
  const server = createServer((socket) => {
    if (connection) {
      socket.destroy();
      return;
    }
    connection = socket;
    socket.on('data', take);
    socket.on('error', () => undefined);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    async ended() {
      if (connection && !connection.readableEnded && !connection.destroyed) await once(connection, 'close');
    },
    close() {
      connection?.destroy();
      server.close();
    },
  };
}
