/** One line of a plot; points in order of x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  readonly title: string;
  /** With its unit. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale?: 'linear' | 'log';
  readonly yScale?: 'linear' | 'log';
  readonly series: readonly Series[];
  /** An upright line with a word at it. */
  readonly mark?: { readonly x: number; readonly label: string } | undefined;
}

const WIDTH = 760;
const HEIGHT = 420;
const MARGIN = { top: 44, right: 20, bottom: 58, left: 72 };
/** Read as well on white as on black. */
const INK = '#7d8590';
const COLOURS = ['#3b82f6', '#e5702a', '#16a34a', '#a855f7', '#dc2626', '#0891b2', '#b08800'];
const INNER_WIDTH = WIDTH - MARGIN.left - MARGIN.right;
const INNER_HEIGHT = HEIGHT - MARGIN.top - MARGIN.bottom;

/** A line chart as an SVG that stands on any background. */
export function linePlot(options: PlotOptions): string {
  const points = options.series.flatMap((series) => series.points);
  const x = axis(
    points.map(([value]) => value),
    options.xScale ?? 'linear',
  );
  const y = axis(
    points.map(([, value]) => value),
    options.yScale ?? 'linear',
  );
  const left = (value: number) => MARGIN.left + x.place(value) * INNER_WIDTH;
  const top = (value: number) => MARGIN.top + (1 - y.place(value)) * INNER_HEIGHT;
  const bottom = MARGIN.top + INNER_HEIGHT;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<title>${escaped(options.title)}</title>`,
    text(WIDTH / 2, 20, options.title, 'text-anchor="middle" font-size="14" font-weight="600"'),
    ...y.ticks.flatMap((tick) => [
      `<path d="M${MARGIN.left} ${fixed(top(tick))}h${INNER_WIDTH}" stroke="${INK}" stroke-opacity="0.25"/>`,
      text(MARGIN.left - 8, top(tick) + 4, short(tick), 'text-anchor="end"'),
    ]),
    ...x.ticks.flatMap((tick) => [
      `<path d="M${fixed(left(tick))} ${bottom}v5" stroke="${INK}"/>`,
      text(left(tick), bottom + 19, short(tick), 'text-anchor="middle"'),
    ]),
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${WIDTH - MARGIN.right}" fill="none" stroke="${INK}"/>`,
    text(MARGIN.left + INNER_WIDTH / 2, HEIGHT - 16, options.xLabel, 'text-anchor="middle"'),
    text(
      0,
      0,
      options.yLabel,
      `text-anchor="middle" transform="translate(16 ${MARGIN.top + INNER_HEIGHT / 2}) rotate(-90)"`,
    ),
    ...(options.mark === undefined ? [] : markAt(left(options.mark.x), bottom, options.mark.label)),
    ...options.series.flatMap((series, index) => lineOf(series, index, left, top)),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function lineOf(
  series: Series,
  index: number,
  left: (value: number) => number,
  top: (value: number) => number,
): string[] {
  const colour = COLOURS[index % COLOURS.length] as string;
  const places = series.points.map(([x, y]) => `${fixed(left(x))} ${fixed(top(y))}`);
  const legendTop = MARGIN.top + 8 + index * 18;
  const legendLeft = MARGIN.left + 14;
  return [
    `<path d="M${places.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...series.points.map(
      ([x, y]) => `<circle cx="${fixed(left(x))}" cy="${fixed(top(y))}" r="2.6" fill="${colour}"/>`,
    ),
    `<path d="M${legendLeft} ${legendTop}h18" stroke="${colour}" stroke-width="2"/>`,
    text(legendLeft + 24, legendTop + 4, series.name, ''),
  ];
}

function markAt(left: number, bottom: number, label: string): string[] {
  return [
    `<path d="M${fixed(left)} ${MARGIN.top}V${bottom}" stroke="${INK}" stroke-dasharray="4 4"/>`,
    text(left - 6, bottom - 8, label, 'text-anchor="end"'),
  ];
}

interface Axis {
  /** 0 at its beginning, 1 at its end. */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

function axis(values: readonly number[], scale: 'linear' | 'log'): Axis {
  if (scale === 'log') {
    const first = Math.floor(Math.log10(Math.min(...values)));
    const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
    const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
    return { place: (value) => (Math.log10(value) - first) / (last - first), ticks };
  }
  const max = Math.max(...values);
  const step = niceStep(max / 6);
  const end = Math.ceil(max / step) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
  return { place: (value) => value / end, ticks };
}

/** The smallest of 1, 2, 5 times a power of ten that is not below the wish. */
function niceStep(wish: number): number {
  const power = 10 ** Math.floor(Math.log10(wish));
  return power * ([1, 2, 5].find((factor) => factor * power >= wish) ?? 10);
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped(content)}</text>`;
}

function short(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
