import { enableCompileCache } from 'node:module';

// The cache only helps modules that are loaded after this line, hence the dynamic import.
if (import.meta.main) {
  enableCompileCache();
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2), process.env, process);
}
