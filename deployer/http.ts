/**
 * Node's HTTP for programs that should start quickly: imported as a module it brings along whatever it can lend, `fetch`
 * and WebSockets included, which takes longer to load than all the rest of them.
 */
export const { createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http');
