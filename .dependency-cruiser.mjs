// Which module may import which. Imports run downwards only: a layer knows what is below it, never what is above.
// `npm run check:imports` reads this file.

/** From the top down. A layer imports from the lines below its own; neighbours on one line do not know each other. */
const LAYERS = [
  ['^src/cli/'],
  ['^src/server/', '^src/pino/'],
  ['^src/logs/'],
  ['^src/index[.]ts$', '^src/kysely[.]ts$', '^src/surrealdb[.]ts$'],
  ['^src/tidemark[.]ts$'],
  ['^src/session[.]ts$'],
  ['^src/client[.]ts$'],
  ['^src/live/'],
  ['^src/reads/'],
  ['^src/writes/', '^src/effects/'],
  ['^src/contracts/'],
]
/** Modules without an opinion, below everything. */
const LEAVES =
  '^src/(causes|columns|documents|errors|http-load|isolation|operation-json|options|own-runs|row-json|segments|sqlite-codes)[.]ts$|^src/sql/'
/** The engine's surroundings: they meet it in the contracts, never in its code. */
const SURROUNDINGS = '^src/(stores|targets|runtime)/'
/** Outcomes, bounds, payloads: files beside the targets' folders, in none of them. */
const SHARED_BY_TARGETS = '^src/targets/[^/]+[.]ts$'
const TESTS = '[.](test|fixture)[.]ts$'

const downwards = LAYERS.flatMap((layer, depth) =>
  layer.map((path) => ({
    name: 'imports-run-downwards',
    comment:
      'cli, server and pino, logs, index, tidemark, live, reads, writes and effects, contracts: never from below.',
    severity: 'error',
    from: { path, pathNot: TESTS },
    to: { path: [...LAYERS.slice(0, depth).flat(), ...layer.filter((other) => other !== path)] },
  })),
).filter(({ to }) => to.path.length > 0)

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...downwards,
    {
      name: 'leaves-know-nothing',
      comment: 'Leaf modules know each other and types of the contracts, nothing else.',
      severity: 'error',
      from: { path: LEAVES, pathNot: TESTS },
      to: { path: '^src/', pathNot: ['^src/contracts/', LEAVES] },
    },
    {
      name: 'leaves-take-types-only',
      comment: 'What leaf modules take from the contracts is types.',
      severity: 'error',
      from: { path: LEAVES },
      to: { path: '^src/contracts/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'surroundings-know-the-contracts',
      comment:
        'Stores, targets and runtime import the contracts and leaf modules only; that is what keeps them exchangeable.',
      severity: 'error',
      from: { path: SURROUNDINGS, pathNot: TESTS },
      to: { path: '^src/', pathNot: ['^src/contracts/', LEAVES, SURROUNDINGS] },
    },
    {
      name: 'surroundings-stay-apart',
      comment:
        'Stores, targets and runtime do not know each other. A worker puts the parts of its thread together, so it takes the runtime there; so does the call that makes a target, which no engine hands one.',
      severity: 'error',
      from: {
        path: '^src/(stores|targets|runtime)/',
        pathNot: [TESTS, '^src/stores/.*/worker[^/]*[.]ts$', '^src/targets/[^/]+/index[.]ts$'],
      },
      to: { path: SURROUNDINGS, pathNot: '^src/$1/' },
    },
    {
      name: 'stores-stay-apart',
      comment:
        'A store or target never imports another; only memory is built on sqlite (its batch executor on a private connection).',
      severity: 'error',
      from: { path: '^src/(stores|targets)/([^/]+)/', pathNot: [TESTS, '^src/stores/memory/'] },
      to: { path: '^src/(stores|targets)/', pathNot: ['^src/$1/$2/', SHARED_BY_TARGETS] },
    },
    {
      name: 'what-targets-share-knows-no-target',
      severity: 'error',
      from: { path: SHARED_BY_TARGETS, pathNot: TESTS },
      to: { path: '^src/(stores|targets|runtime)/', pathNot: SHARED_BY_TARGETS },
    },
    {
      name: 'memory-is-built-on-sqlite-only',
      severity: 'error',
      from: { path: '^src/stores/memory/', pathNot: TESTS },
      to: { path: '^src/stores/', pathNot: '^src/stores/(memory|sqlite)/' },
    },
    {
      name: 'engine-is-handed-its-store',
      comment:
        'A store, a target or the clock is handed to the engine; only who puts the parts together imports one.',
      severity: 'error',
      from: {
        path: '^src/(live|reads|writes|effects|contracts|server|logs)/|^src/(index|tidemark|session|client)[.]ts$',
        pathNot: TESTS,
      },
      to: { path: '^src/(stores|targets)/' },
    },
    {
      name: 'engine-is-handed-its-runtime',
      comment: 'The runtime is handed down by tidemark.ts; that is what a simulation replaces.',
      severity: 'error',
      from: { path: '^src/(live|reads|writes|effects|contracts)/', pathNot: TESTS },
      to: { path: '^src/runtime/' },
    },
    {
      name: 'only-tests-import-testing',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/testing/', TESTS] },
      to: { path: '^src/testing/' },
    },
    {
      name: 'testing-uses-the-public-side',
      comment: 'What adapter authors run must not lean on what they cannot see.',
      severity: 'error',
      from: { path: '^src/testing/', pathNot: TESTS },
      to: { path: '^src/(cli|server|logs|live|reads|writes|effects)/' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: '^(dashboard|test|bench|campaigns|examples|scripts)/' },
    },
    {
      name: 'dashboard-speaks-http-only',
      comment: 'The page runs in a browser: what it knows of the server is what the server answers.',
      severity: 'error',
      from: { path: '^dashboard/' },
      to: { path: '^(src|test|bench|campaigns|examples|scripts)/' },
    },
    {
      name: 'src-needs-no-dev-dependencies',
      comment: 'Whoever installs the package has only its dependencies and peers.',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer'],
      },
    },
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one. Types alone may meet.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'everything-resolves',
      comment:
        'Bench peers and examples install their own packages; everyone else must do with the root install.',
      severity: 'error',
      from: { pathNot: '^(bench|examples)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'bench-and-examples-resolve-their-files',
      severity: 'error',
      from: { path: '^(bench|examples)/' },
      to: { couldNotResolve: true, path: '^[.]' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    // Type imports count too: the layers are about what a reader must know, not about what is loaded.
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default', 'node'],
    },
  },
}
