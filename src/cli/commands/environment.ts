import { Command } from 'commander';
import { environmentSchema } from '../../config.ts';

export function environmentCommand(): Command {
  return new Command('environment')
    .description('every environment variable with its meaning and default, as .env.example holds them')
    .action(() => {
      process.stdout.write(environmentExample());
    });
}

/** The text of `.env.example`, made from the schema that reads the environment. */
export function environmentExample(): string {
  const lines = [
    '# Every variable that the broker reads. Those that are commented out have no default, or the one shown.',
    '# Made by: npm run broker -- environment > .env.example',
  ];
  for (const [name, schema] of Object.entries(environmentSchema.shape)) {
    const required = !schema.safeParse(undefined).success;
    lines.push('', `# ${schema.description ?? ''}`, `${required ? '' : '# '}${name}=${defaultOf(schema)}`);
  }
  return `${lines.join('\n')}\n`;
}

function defaultOf(schema: { safeParse(value: unknown): { success: boolean; data?: unknown } }): string {
  const result = schema.safeParse(undefined);
  if (!result.success || result.data === undefined) return '';
  return Array.isArray(result.data) ? result.data.join(',') : String(result.data);
}
