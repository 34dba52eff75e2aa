import { type Command, commonOptions, type Options } from './command.ts'
import { commands } from './commands.ts'
import { widthOf } from './terminal/style.ts'
import { wrap } from './terminal/wrap.ts'

/** The help of all, as wide as the terminal that it goes to. */
export function overview(stream: NodeJS.WriteStream): string {
  const rows = Object.entries(commands).map(([name, { about }]): [string, string] => [name, about])
  const width = widthOf(stream)
  return [
    ...wrap('Records live audio into WAV files, and looks at them, cuts them and repairs them.', width),
    '',
    ...wrap('wavespool <command> [options]', width),
    '',
    ...table(rows, width),
    '',
    ...wrap(
      'wavespool <command> --help tells its options, wavespool --version the version. Exit codes: 0, 1 when it failed, 2 when it was called wrongly, 130 when it was interrupted twice.',
      width,
    ),
    '',
  ].join('\n')
}

export function helpOf(name: string, { about, usage, options }: Command, stream: NodeJS.WriteStream): string {
  const width = widthOf(stream)
  const paragraphs = about.split('\n\n').flatMap((text) => [...wrap(text.replaceAll('\n', ' '), width), ''])
  const rows = Object.entries<Options[string]>({ ...options, ...commonOptions }).map(
    ([option, { short, value, about }]): [string, string] => [
      `${short ? `-${short}, ` : ''}--${option}${value ? ` ${value}` : ''}`,
      about,
    ],
  )
  return [...wrap(`wavespool ${name} ${usage}`, width), '', ...paragraphs, ...table(rows, width), ''].join(
    '\n',
  )
}

/** Two columns; in a narrow terminal the second one below the first. */
function table(rows: [string, string][], width: number): string[] {
  const first = Math.max(...rows.map(([left]) => left.length)) + 4
  if (width - first < 30) {
    return rows.flatMap(([left, right]) => [
      `  ${left}`,
      ...wrap(right, width - 6).map((line) => `      ${line}`),
    ])
  }
  return rows.flatMap(([left, right]) =>
    wrap(right, width - first).map((line, i) => `  ${(i === 0 ? left : '').padEnd(first - 2)}${line}`),
  )
}
