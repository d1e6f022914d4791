/** A line of a log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

export type Filter = (line: LogLine) => boolean;

const TOKEN = /\s*(&&|\|\||>=|[(){}>=*]|\$(?:\.\w+)+|"[^"]*"|\d+)/y;

/**
 * A pattern of CloudWatch for logs in JSON, of which this knows what terraform/ uses: `$.a.b = "word"`, with `*` at
 * the word's end for any further letters, `= *` for a field that is there, `>` and `>=` of numbers, `&&`, `||`, parentheses.
 *
 * @throws Error for any other pattern
 */
export function parseFilter(pattern: string): Filter {
  const tokens = tokensOf(pattern);
  let position = 0;
  const next = () => tokens[position++] ?? fail(pattern);
  const take = (token: string) => tokens[position] === token && position++ >= 0;
  const expect = (token: string) => take(token) || fail(pattern);

  function any(): Filter {
    const terms = [all()];
    while (take('||')) terms.push(all());
    return (line) => terms.some((term) => term(line));
  }
  function all(): Filter {
    const terms = [one()];
    while (take('&&')) terms.push(one());
    return (line) => terms.every((term) => term(line));
  }
  function one(): Filter {
    if (take('(')) {
      const inner = any();
      expect(')');
      return inner;
    }
    const field = next();
    const operator = next();
    const operand = next();
    if (!field.startsWith('$.')) fail(pattern);
    if (operator === '=' && operand === '*') return (line) => fieldOf(line, field) !== undefined;
    if (operator === '=' && operand.startsWith('"')) return equals(field, operand.slice(1, -1));
    if (!/^\d+$/.test(operand) || (operator !== '>' && operator !== '>=')) fail(pattern);
    return (line) => {
      const value = fieldOf(line, field);
      return typeof value === 'number' && (operator === '>' ? value > +operand : value >= +operand);
    };
  }

  expect('{');
  const filter = any();
  expect('}');
  if (position !== tokens.length) fail(pattern);
  return filter;
}

/** What `$.a.b` is in a line. */
export function fieldOf(line: LogLine, selector: string): unknown {
  let value: unknown = line;
  for (const name of selector.split('.').slice(1)) value = (value as LogLine | null | undefined)?.[name];
  return value;
}

function equals(field: string, word: string): Filter {
  return (line) => {
    const value = fieldOf(line, field);
    if (typeof value !== 'string') return false;
    return word.endsWith('*') ? value.startsWith(word.slice(0, -1)) : value === word;
  };
}

function tokensOf(pattern: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < pattern.trimEnd().length) {
    const token = TOKEN.exec(pattern)?.[1] ?? fail(pattern);
    tokens.push(token);
  }
  return tokens;
}

function fail(pattern: string): never {
  throw new Error(`Not a pattern that is known here: ${pattern}`);
}
