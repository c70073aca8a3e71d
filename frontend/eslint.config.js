import hooks from 'eslint-plugin-react-hooks'
import ts from 'typescript-eslint'

const node = { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly', fetch: 'readonly',
  setTimeout: 'readonly', clearTimeout: 'readonly', document: 'readonly', window: 'readonly', location: 'readonly', localStorage: 'readonly' } }

export default ts.config(
  { ignores: ['dist', 'dist-mock', 'src/types'] },
  ...ts.configs.recommended,
  {
    rules: {
      complexity: ['error', 11],
      'max-lines': ['error', 300],
      'max-depth': ['error', 3],
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
    },
  },
  { files: ['src/**/*.{ts,tsx}'], plugins: { 'react-hooks': hooks }, rules: {
    'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' } },
  {
    // Screens use our names: only src/ui knows the component library, only src/data the fetcher.
    files: ['src/app/**/*.{ts,tsx}', 'src/lib/**/*.ts', 'src/data/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [
      { group: ['@cloudscape-design/*'], message: 'import from src/ui' },
    ] }] },
  },
  { files: ['src/app/**/*.{ts,tsx}'], rules: { 'no-restricted-globals': ['error', { name: 'fetch', message: 'use src/data' }] } },
  { files: ['scripts/*.mjs', 'e2e/*.mjs', '*.js'], languageOptions: node, rules: { 'no-console': 'off' } },
)
