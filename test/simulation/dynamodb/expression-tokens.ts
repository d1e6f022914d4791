import { validation } from './faults.ts';

export interface Token {
  /** `name` for an attribute or a function, `alias` for `#name`, `value` for `:name`, else the sign itself. */
  readonly kind: 'name' | 'alias' | 'value' | 'sign' | 'end';
  readonly text: string;
}

const PATTERN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(#[A-Za-z0-9_]+)|(:[A-Za-z0-9_]+)|(<>|<=|>=|[=<>(),+-]))/y;

const KINDS = ['name', 'alias', 'value', 'sign'] as const;

/** The words of an expression, read one after the other. Nested paths (`a.b`, `a[0]`) are not known here. */
export class Tokens {
  readonly #expression: string;
  readonly #tokens: Token[] = [];
  #position = 0;

  constructor(expression: string) {
    this.#expression = expression;
    PATTERN.lastIndex = 0;
    const end = expression.trimEnd().length;
    while (PATTERN.lastIndex < end) {
      const from = PATTERN.lastIndex;
      const match = PATTERN.exec(expression);
      if (match === null) throw validation(`Syntax error at "${expression.slice(from)}" in "${expression}"`);
      const group = match.findIndex((text, index) => index > 0 && text !== undefined);
      this.#tokens.push({ kind: KINDS[group - 1] as Token['kind'], text: match[group] as string });
    }
  }

  get next(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '' };
  }

  take(): Token {
    const token = this.next;
    this.#position += 1;
    return token;
  }

  /** Whether the next word is this keyword, whatever its case, or this sign; if so it is taken. */
  takes(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.#position += 1;
    return true;
  }

  isNext(text: string): boolean {
    const { kind, text: found } = this.next;
    return (kind === 'name' || kind === 'sign') && found.toUpperCase() === text;
  }

  /** Whether a parenthesis follows the next word: then it is a function. */
  get callsFunction(): boolean {
    const after = this.#tokens[this.#position + 1];
    return this.next.kind === 'name' && after?.text === '(';
  }

  expect(text: string): void {
    if (!this.takes(text)) throw this.unexpected();
  }

  unexpected(): Error {
    return validation(`Syntax error at "${this.next.text}" in "${this.#expression}"`);
  }
}
