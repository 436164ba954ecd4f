/** What to do when there are no logs yet: lines that run as they stand here. */
import type { VNode } from 'preact'
import { token } from '../api/request.ts'
import { CopyButton } from '../ui/copy.ts'
import { html } from '../ui/html.ts'
import { Mark } from '../ui/mark.ts'

export function FirstSteps(): VNode {
  return html`<section class="empty first-steps">
    <${Mark} size=${56} />
    <h2>No logs yet. Send one:</h2>
    <${Command} text=${curlLine()} />
    <p class="muted">From a program that speaks OpenTelemetry:</p>
    <${Command} text=${openTelemetryLines()} />
    <p class="muted">From a Node program that logs with pino:</p>
    <${Command} text=${pinoLine()} />
    <p class="muted">It appears here the moment it is stored.</p>
  </section>`
}

function Command({ text }: { text: string }): VNode {
  return html`<div class="command">
    <pre><code>${text}</code></pre>
    <${CopyButton} label="Copy" text=${() => text} />
  </div>`
}

/** With a server that wants tokens the lines take one from the environment: never from here, where others may look. */
function isTokenNeeded(): boolean {
  return token.get() !== ''
}

function curlLine(): string {
  const authorization = isTokenNeeded() ? ` -H "authorization: Bearer $TIDEMARK_TOKEN"` : ''
  return `curl ${location.origin}/v1/logs${authorization} -H 'content-type: application/x-ndjson' -d '{"level":"info","service":"shell","message":"Hello, Tidemark"}'`
}

function openTelemetryLines(): string {
  return [
    `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${location.origin}/v1/logs`,
    'export OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json',
    ...(isTokenNeeded()
      ? ['export OTEL_EXPORTER_OTLP_LOGS_HEADERS="authorization=Bearer%20$TIDEMARK_TOKEN"']
      : []),
  ].join('\n')
}

function pinoLine(): string {
  const withToken = isTokenNeeded() ? ', token: process.env.TIDEMARK_TOKEN' : ''
  return `pino({ transport: { target: 'tidemark/pino', options: { url: '${location.origin}'${withToken} } } })`
}
