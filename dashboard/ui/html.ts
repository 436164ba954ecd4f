/** HTML as a tagged template: what the page is written in, since nothing compiles it. */
import htm from 'htm'
import { h, type VNode } from 'preact'

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode

// The declaration of htm allows for templates with several roots; ours have one.
export const html = htm.bind(h) as Template
