// Writes src/ui/theme.css: the brand as overrides of the component library's tokens, and short names for the
// tokens that our own styles use. Static, because theming at run time would inject a style element.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'vite'

// The tokens' custom properties carry hashes of the library's version; its own map knows them.
const { preset } = createRequire(import.meta.url)(
  '../node_modules/@cloudscape-design/components/internal/generated/theming/index.cjs')

const both = (light, dark) => ({ light, dark })
const accent = both('#0b6b50', '#5fd3ac')
const accentStrong = both('#08533e', '#8fe3c1')
const theme = {
  tokens: {
    fontFamilyBase: "Inter, 'Segoe UI', system-ui, -apple-system, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif",
    fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
    colorBackgroundButtonPrimaryDefault: accent,
    colorBackgroundButtonPrimaryHover: accentStrong,
    colorBackgroundButtonPrimaryActive: accentStrong,
    colorTextButtonPrimaryDefault: both('#ffffff', '#06281d'),
    colorTextButtonPrimaryHover: both('#ffffff', '#06281d'),
    colorTextButtonPrimaryActive: both('#ffffff', '#06281d'),
    colorBorderButtonNormalDefault: accent,
    colorBorderButtonNormalHover: accentStrong,
    colorBorderButtonNormalActive: accentStrong,
    colorTextButtonNormalDefault: accent,
    colorTextButtonNormalHover: accentStrong,
    colorTextButtonNormalActive: accentStrong,
    colorBackgroundButtonNormalHover: both('#eef7f3', '#10251e'),
    colorBackgroundButtonNormalActive: both('#dcefe7', '#16362b'),
    colorTextLinkDefault: accent,
    colorTextLinkHover: accentStrong,
    colorTextAccent: accent,
    colorBorderItemFocused: accent,
    colorBorderItemSelected: accent,
    colorBackgroundItemSelected: both('#eef7f3', '#10251e'),
    colorBackgroundControlChecked: accent,
    colorBackgroundSegmentActive: accent,
    colorBorderSegmentActive: accent,
    colorTextSegmentActive: both('#ffffff', '#06281d'),
    colorTextSegmentHover: accentStrong,
    fontFamilyHeading: "Inter, 'Segoe UI', system-ui, -apple-system, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif",
    colorBackgroundLayoutMain: both('#fbfcfb', '#12181b'),
    borderRadiusContainer: '12px',
    borderRadiusButton: '8px',
    borderRadiusInput: '8px',
  },
}

const aliases = {
  page: 'colorBackgroundLayoutMain', surface: 'colorBackgroundContainerContent', ink: 'colorTextBodyDefault',
  'ink-strong': 'colorTextHeadingDefault', 'ink-soft': 'colorTextBodySecondary', line: 'colorBorderDividerDefault',
  control: 'colorBorderControlDefault', ok: 'colorTextStatusSuccess', warn: 'colorTextStatusWarning',
  bad: 'colorTextStatusError', info: 'colorTextStatusInfo', idle: 'colorTextStatusInactive', accent: 'colorTextAccent',
  hover: 'colorBackgroundDropdownItemHover', mono: 'fontFamilyMonospace', focus: 'colorBorderItemFocused',
}

const server = await createServer({
  server: { middlewareMode: true, ws: false }, appType: 'custom', optimizeDeps: { noDiscovery: true },
  ssr: { noExternal: [/@cloudscape-design/] }, logLevel: 'error',
})
const { generateThemeStylesheet } = await server.ssrLoadModule('@cloudscape-design/components/theming')
const css = generateThemeStylesheet({ theme })
const short = Object.entries(aliases).map(([name, token]) => `  --${name}: var(${preset.propertiesMap[token]});`).join('\n')
const inAlerts = ['Default', 'Hover'].map((state) => `  ${preset.propertiesMap[`colorTextLink${state}`]}: var(--accent);`).join('\n') // the library's are blue there
writeFileSync('src/ui/theme.css', `/* Written by scripts/theme.mjs; do not edit. */\n${css}\nbody {\n${short}\n}\n.awsui-context-alert.awsui-context-alert.awsui-context-alert.awsui-context-alert:not(#\\9) {\n${inAlerts}\n}\n`)
await server.close()
