import type { FieldErrors } from '../http/text.ts';
import { html, nothing, type Html } from './html.ts';

export interface Field {
  name: string;
  label: string;
  type?: string;
  value?: string;
  hint?: string;
  autocomplete?: string;
  required?: boolean;
  maxlength?: number;
}

/** An input with its label, its hint and what is wrong with it, tied together for screen readers. */
export function input(field: Field, errors: FieldErrors = {}): Html {
  const { name, label, type = 'text', value = '', required = true } = field;
  const error = errors[name];
  return html`<div class="mb-3">
    <label class="form-label" for="${name}">${label}${required ? nothing : optional}</label>
    <input
      class="form-control${error === undefined ? '' : ' is-invalid'}"
      type="${type}"
      id="${name}"
      name="${name}"
      value="${value}"
      ${attributes(field)}
      ${described(field, error)}
    />
    ${notes(field, error)}
  </div>`;
}

export function textarea(field: Field & { rows?: number }, errors: FieldErrors = {}): Html {
  const { name, label, value = '', required = true, rows = 5 } = field;
  const error = errors[name];
  return html`<div class="mb-3">
    <label class="form-label" for="${name}">${label}${required ? nothing : optional}</label>
    <textarea
      class="form-control${error === undefined ? '' : ' is-invalid'}"
      id="${name}"
      name="${name}"
      rows="${rows}"
      ${attributes(field)}
      ${described(field, error)}
    >
${value}</textarea>
    ${notes(field, error)}
  </div>`;
}

export function select(
  field: Field,
  options: readonly (readonly [value: string, label: string])[],
  errors: FieldErrors = {},
): Html {
  const error = errors[field.name];
  return html`<div class="mb-3">
    <label class="form-label" for="${field.name}">${field.label}</label>
    <select class="form-select" id="${field.name}" name="${field.name}" ${described(field, error)}>
      ${options.map(([value, label]) => option(value, label, field.value ?? ''))}
    </select>
    ${notes(field, error)}
  </div>`;
}

export function option(value: string, label: string, chosen: string): Html {
  return html`<option value="${value}" ${value === chosen ? html`selected` : nothing}>${label}</option>`;
}

/** At the top of a form that came back; the focus of a reader who did not see it. */
export function errorSummary(errors: FieldErrors): Html {
  const messages = Object.entries(errors);
  if (messages.length === 0) return nothing;
  return html`<div class="alert alert-danger" role="alert">
    ${'form' in errors ? errors['form'] : 'Please look at the marked fields.'}
  </div>`;
}

const optional = html` <span class="text-body-secondary">(optional)</span>`;

function attributes({ autocomplete, required = true, maxlength }: Field): Html {
  return html`${required ? html`required` : nothing}
  ${autocomplete === undefined ? nothing : html`autocomplete="${autocomplete}"`}
  ${maxlength === undefined ? nothing : html`maxlength="${maxlength}"`}`;
}

function described({ name, hint }: Field, error: string | undefined): Html {
  const ids = [hint === undefined ? '' : `${name}-hint`, error === undefined ? '' : `${name}-error`]
    .join(' ')
    .trim();
  if (ids === '') return nothing;
  return html`aria-describedby="${ids}" ${error === undefined ? nothing : html`aria-invalid="true"`}`;
}

function notes({ name, hint, label }: Field, error: string | undefined): Html {
  return html`${hint === undefined ? nothing : html`<div class="form-text" id="${name}-hint">${hint}</div>`}
  ${error === undefined ? nothing : html`<div class="invalid-feedback" id="${name}-error">${label} ${error}.</div>`}`;
}
