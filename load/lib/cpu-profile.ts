import { readFileSync } from 'node:fs';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** Milliseconds by the part of the house that they went to, largest first; time in which nothing ran is left out. */
export type TimeByArea = readonly { readonly area: string; readonly ms: number }[];

/** First match wins; a frame that matches none belongs to whoever called it. */
const AREAS: readonly (readonly [area: string, pattern: RegExp])[] = [
  ['garbage collection', /^\(garbage collector\)/],
  ['idle', /^\(idle\)/],
  ['outside JavaScript', /^\(program\)/],
  ['SDK: signing', /signature-v4|httpAuthSchemes/],
  ['SDK: marshalling', /dynamodb-codec|core\/.*(protocols|schema|serde|cbor)/],
  ['SDK: HTTP client', /node-http-handler|node:_http_client|node:_http_agent/],
  ['SDK: middleware', /@aws-sdk|@smithy/],
  ['log', /node_modules\/(pino|@pinojs|sonic-boom|pino-pretty|fast-redact|safe-stable-stringify)/],
  ['metrics', /node_modules\/(prom-client|tdigest|bintrees)|src\/observability\/metrics/],
  ['rate limits', /rate-limit|toad-cache/],
  ['security headers', /helmet|fastify\/cors|security-headers/],
  ['validation', /node_modules\/zod|fastify-type-provider-zod|src\/http\/schemas/],
  ['credentials', /src\/credentials|plugins\/authentication/],
  [
    'routing and framework',
    /node_modules\/(fastify|find-my-way|avvio|light-my-request|fast-json-stringify|secure-json-parse)/,
  ],
  ['our HTTP layer', /src\/(http|app)/],
  ['candidates', /src\/allocation\/(candidate|handed-out|neighbours)|src\/store\/available-walk/],
  ['group commit', /src\/allocation\/group-commit/],
  ['allocation', /src\/(allocation|domain|store)/],
  [
    'start-up: loading modules',
    /node:internal\/(modules|deps\/amaro|bootstrap)|^compileSourceTextModule|^wrapSafe/,
  ],
  ['Node: HTTP server', /node:_http|node:internal\/http/],
  [
    'Node: streams and sockets',
    /node:(net|stream|internal\/streams|internal\/stream_base)|^writev|^writeUtf8String|^writeLatin1String/,
  ],
  ['Node: files', /node:(fs|internal\/fs)/],
  ['Node: crypto', /node:(crypto|internal\/crypto)/],
  ['Node: timers and promises', /node:(timers|internal\/timers|internal\/process)/],
];

export function readProfile(path: string): CpuProfile {
  return JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
}

/** Self time by area. What the runtime does for somebody (native code, crypto) counts as theirs where they are known. */
export function timeByArea(profile: CpuProfile): TimeByArea {
  const parents = new Map<number, number>();
  const frames = new Map<number, CallFrame>();
  for (const node of profile.nodes) {
    frames.set(node.id, node.callFrame);
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  const areas = new Map<number, string>();
  const areaOf = (id: number): string => {
    const known = areas.get(id);
    if (known !== undefined) return known;
    const frame = frames.get(id) as CallFrame;
    const text = `${frame.functionName} ${frame.url}`;
    const parent = parents.get(id);
    const isNodes = frame.url === '' || frame.url.startsWith('node:');
    let area = AREAS.find(([, pattern]) => pattern.test(text))?.[0];
    // Node's crypto, files and timers work for whoever called them; its servers and sockets for themselves.
    if (isNodes && parent !== undefined && (area === undefined || /crypto|files|timers/.test(area))) {
      const above = areaOf(parent);
      if (above !== 'other') area = above;
    }
    areas.set(id, area ?? 'other');
    return area ?? 'other';
  };
  const times = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const area = areaOf(id);
    times.set(area, (times.get(area) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000);
  });
  times.delete('idle');
  return [...times].map(([area, ms]) => ({ area, ms })).sort((a, b) => b.ms - a.ms);
}

/** The functions in which most time was spent themselves, for whoever wants to know which. */
export function topFunctions(profile: CpuProfile, count: number): readonly { name: string; ms: number }[] {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const { functionName, url, lineNumber } = frames.get(id) as CallFrame;
    const name = `${functionName || '(anonymous)'} ${url.replace(/^.*node_modules\/|^file:\/\//, '')}:${lineNumber + 1}`;
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000);
  });
  return [...times]
    .filter(([name]) => !name.startsWith('(idle)'))
    .map(([name, ms]) => ({ name, ms }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count);
}
