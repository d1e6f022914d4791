import type { Credential, CredentialSource } from './credential.ts';

/** Asks several sources in turn. What one knows from memory is answered at once. */
export class CredentialBook implements CredentialSource {
  readonly #sources: readonly CredentialSource[];

  constructor(sources: readonly CredentialSource[]) {
    this.#sources = sources;
  }

  identify(token: string): Credential | undefined | Promise<Credential | undefined> {
    const waits: Promise<Credential | undefined>[] = [];
    for (const source of this.#sources) {
      const answer = source.identify(token);
      if (answer instanceof Promise) waits.push(answer);
      else if (answer !== undefined) return answer;
    }
    if (waits.length === 0) return undefined;
    return Promise.all(waits).then((answers) => answers.find((answer) => answer !== undefined));
  }
}
