// Reads the built declarations, an entry point at a time: their model for the reference, and their report for the reviewer.
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

const root = resolve(import.meta.dirname, '..')

/** By the name of its page: the index, and a subpath each. */
export const entryPoints = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => path.slice(2) || 'index')

/** Why a message of the extractor is none of ours. */
const silenced = {
  'ae-missing-release-tag': 'whatever is exported is public',
  'ae-undocumented': 'the gate asks for docblocks, and knows what Node documents',
  'ae-forgotten-export':
    'it counts private members, and another entry point may export the name: the gate looks at what users see',
  'ae-unresolved-link': 'the same',
  'tsdoc-malformed-inline-tag':
    "`@throws {Type}` is JSDoc's, which editors show; TSDoc has no place for the type",
  'tsdoc-param-tag-missing-hyphen': "`@param name text` is JSDoc's as well",
  'tsdoc-escape-right-brace': '`@throws {Type}` again',
}

/**
 * The model of an entry point. Its report is written into `reports`.
 *
 * @param {string} name
 * @param {string} reports
 * @returns {{ members: object[], warnings: string[] }}
 */
export function extract(name, reports) {
  const entry = join(root, 'dist', name === 'index' ? '' : name, 'index.d.ts')
  const cache = join(root, '.cache', 'reference')
  mkdirSync(cache, { recursive: true })
  mkdirSync(reports, { recursive: true })
  const model = join(cache, `${name}.api.json`)
  const tsconfig = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions: tsconfig.compilerOptions, files: [entry] } },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports,
        reportTempFolder: cache,
      },
      docModel: { enabled: true, apiJsonFilePath: model, includeForgottenExports: true },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'warning' } },
        tsdocMessageReporting: { default: { logLevel: 'warning' } },
        extractorMessageReporting: {
          default: { logLevel: 'warning' },
          'ae-missing-release-tag': { logLevel: 'none' },
        },
      },
    },
  })
  const warnings = []
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      message.handled = true
      if (message.messageId.startsWith('console-') || message.messageId in silenced) return
      warnings.push(message.formatMessageWithLocation(root))
    },
  })
  const { members } = JSON.parse(readFileSync(model, 'utf8')).members[0]
  return { members, warnings }
}
