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

function curlLine(): string {
  const authorization = token.get() === '' ? '' : ` -H "authorization: Bearer $TIDEMARK_TOKEN"`
  return `curl ${location.origin}/v1/logs${authorization} -H 'content-type: application/x-ndjson' -d '{"level":"info","service":"shell","message":"Hello, Tidemark"}'`
}

function openTelemetryLines(): string {
  return [
    `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${location.origin}/v1/logs`,
    'export OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json',
  ].join('\n')
}

function pinoLine(): string {
  return `pino({ transport: { target: 'tidemark/pino', options: { url: '${location.origin}' } } })`
}
