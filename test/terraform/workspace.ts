import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, run, safeEnvironment } from './programs.ts';
import { REPOSITORY } from './source-files.ts';
import { resourcesOf, type State, type StateResource } from './state.ts';

/** A copy of everything, so that nothing that Terraform writes gets into the repository. */
export class Workspace {
  readonly root = mkdtempSync(join(tmpdir(), 'sandbox-broker-terraform-'));
  readonly module = join(this.root, 'terraform');
  readonly everything = join(this.root, 'test/terraform/everything');
  readonly #plugins: string | undefined;
  readonly #cache: Environment = {};

  constructor(plugins: string | undefined) {
    this.#plugins = plugins;
    if (plugins === undefined) {
      const directory = join(this.root, 'plugins');
      mkdirSync(directory);
      // Without a lock file Terraform would download the provider anew for every folder.
      this.#cache = { TF_PLUGIN_CACHE_DIR: directory, TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE: '1' };
    }
    const filter = (path: string) => !/\/\.terraform(\.lock\.hcl)?($|\/)|\.tfstate/.test(path);
    cpSync(join(REPOSITORY, 'terraform'), this.module, { recursive: true, filter });
    cpSync(join(REPOSITORY, 'test/terraform/everything'), this.everything, { recursive: true, filter });
  }

  get examples(): string[] {
    return readdirSync(join(this.module, 'examples')).map((name) => join(this.module, 'examples', name));
  }

  /** @returns what it printed. @throws ProgramError when it does not end with 0 */
  terraform(
    directory: string,
    parameters: readonly string[],
    environment = safeEnvironment(),
  ): Promise<string> {
    return run('terraform', parameters, {
      directory,
      environment: { ...environment, ...this.#cache },
    });
  }

  init(directory: string) {
    const source = this.#plugins === undefined ? [] : [`-plugin-dir=${this.#plugins}`];
    return this.terraform(directory, ['init', '-no-color', '-backend=false', ...source]);
  }

  /** What the state of a folder holds. */
  async resources(directory: string): Promise<StateResource[]> {
    return resourcesOf(JSON.parse(await this.terraform(directory, ['show', '-json'])) as State);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
