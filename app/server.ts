import { enableCompileCache } from 'node:module';

/** Runs until SIGTERM or SIGINT. A wrong setting is one line on stderr and exit code 2. */
export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  enableCompileCache();
  const { readSettings, SettingsError } = await import('./settings.ts');
  const { serve } = await import('./serve.ts');
  try {
    const { stop } = await serve(readSettings(env));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`datatracker: ${error.message}\n`);
    process.exitCode = 2;
  }
}

if (import.meta.main) await main(process.env);
